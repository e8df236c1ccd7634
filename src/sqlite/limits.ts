import { escapedText } from "../invite/escaped-text.js";
import type { Limits } from "../ports.js";
import { numberOf, onlyRow } from "../storage/sql-row.js";
import { type Ask, tables } from "./client.js";

const table = tables.limits;

const stored = `min(max(${table}.full_at, ?2), ?3)`;
const next = `max(${stored} + ?4, ?2)`;
const first = "max(?2 + ?4, ?2)";

/** The `limits` port on SQLite. */
export const sqliteLimits = (ask: Ask): Limits => ({
  take: async ({ key, cost, now, intervalMs, burst }, options) => {
    const rows = await ask(
      `INSERT INTO ${table} (key, full_at, is_taken)
        VALUES (?1, CASE WHEN ${first} <= ?3 THEN ${first} ELSE ?2 END, ${first} <= ?3)
        ON CONFLICT (key) DO UPDATE SET
          full_at = CASE WHEN ${next} <= ?3 THEN ${next} ELSE ${stored} END, is_taken = ${next} <= ?3
        RETURNING full_at, is_taken`,
      [escapedText(key), now, now + burst * intervalMs, cost * intervalMs],
      options,
    );
    const row = onlyRow(rows);
    return { isTaken: numberOf(row, "is_taken") === 1, fullAt: numberOf(row, "full_at") };
  },

  forget: async ({ fullBefore, limit }, options) => {
    const gone = await ask(
      `DELETE FROM ${table} WHERE key IN (SELECT key FROM ${table} WHERE full_at < ?1 LIMIT ?2) RETURNING key`,
      [fullBefore, limit],
      options,
    );
    return gone.length;
  },
});
