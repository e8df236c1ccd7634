import { escapedText } from "../../invite/escaped-text.js";
import type { Limits } from "../../ports.js";
import { number, only } from "./row.js";
import { type Database, limitTo, sql, written } from "./statement.js";

export const sqlLimits = ({ dialect, ask, prefix }: Database): Limits => {
  const { least, greatest, isAmong, skipLocked } = dialect;
  const table = written(`${prefix}third_party_limits`);

  return {
    take: async ({ key, cost, now, intervalMs, burst }, given) => {
      const charge = cost * intervalMs;
      const most = now + burst * intervalMs;
      const stored = sql`${least}(${greatest}(bucket.full_at, ${now}), ${most})`;
      const next = sql`${greatest}(${stored} + ${charge}, ${now})`;
      const fresh = Math.max(now + charge, now);
      const isFresh = fresh <= most;
      // Whether it was taken has a column, since the statement answers with what stands there afterwards.
      const row = only(
        await ask(
          sql`INSERT INTO ${table} AS bucket (key, full_at, is_taken)
          VALUES (${escapedText(key)}, ${isFresh ? fresh : now}, ${isFresh ? 1 : 0})
          ON CONFLICT (key) DO UPDATE SET
            full_at = CASE WHEN ${next} <= ${most} THEN ${next} ELSE ${stored} END,
            is_taken = CASE WHEN ${next} <= ${most} THEN 1 ELSE 0 END
          RETURNING full_at, is_taken`,
          given,
        ),
      );
      return { isTaken: number(row, "is_taken") === 1, fullAt: number(row, "full_at") };
    },

    forget: async ({ fullBefore, limit }, given) => {
      const full = sql`SELECT key FROM ${table} WHERE full_at < ${fullBefore} ${limitTo(limit)} ${skipLocked}`;
      return (
        await ask(sql`DELETE FROM ${table} WHERE ${isAmong(written("key"), full)} RETURNING key`, given)
      ).length;
    },
  };
};
