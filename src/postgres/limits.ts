import { escapedText } from "../invite/escaped-text.js";
import type { Limits } from "../ports.js";
import { numberOf, onlyRow, textOf } from "../storage/sql-row.js";
import type { Ask } from "./ask.js";

/** The `limits` port on PostgreSQL. */
export const postgresLimits = (ask: Ask, table: string): Limits => {
  const stored = "least(greatest(bucket.full_at, $2::double precision), $3::double precision)";
  const next = `greatest(${stored} + $4::double precision, $2::double precision)`;
  const first = "greatest($2::double precision + $4::double precision, $2::double precision)";
  const fits = (fullAt: string): string => `(${fullAt} <= $3::double precision)`;
  return {
    take: async ({ key, cost, now, intervalMs, burst }, options) => {
      const rows = await ask(
        `INSERT INTO ${table} AS bucket (key, full_at, is_taken)
          VALUES ($1::text, CASE WHEN ${fits(first)} THEN ${first} ELSE $2::double precision END, ${fits(first)})
          ON CONFLICT (key) DO UPDATE SET
            full_at = CASE WHEN ${fits(next)} THEN ${next} ELSE ${stored} END, is_taken = ${fits(next)}
          RETURNING full_at, is_taken::text AS is_taken`,
        [escapedText(key), String(now), String(now + burst * intervalMs), String(cost * intervalMs)],
        options,
      );
      const row = onlyRow(rows);
      return { isTaken: textOf(row, "is_taken") === "true", fullAt: numberOf(row, "full_at") };
    },

    forget: async ({ fullBefore, limit }, options) => {
      const rows = await ask(
        `WITH gone AS (
            DELETE FROM ${table} WHERE key IN (
              SELECT key FROM ${table} WHERE full_at < $1::double precision
              LIMIT $2::bigint FOR UPDATE SKIP LOCKED
            ) RETURNING key
          )
          SELECT count(*)::text AS row_count FROM gone`,
        [String(fullBefore), String(limit)],
        options,
      );
      return numberOf(onlyRow(rows), "row_count");
    },
  };
};
