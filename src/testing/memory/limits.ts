import type { Limits } from "../../ports.js";

/**
 * The `limits` port in memory: it forgets everything with the process.
 *
 * @example
 * const limits = memoryLimits();
 * await limits.take({ key: "a", cost: 1, now: 0, intervalMs: 1000, burst: 2 }, {}); // { isTaken: true, fullAt: 1000 }
 */
export const memoryLimits = (): Limits => {
  const buckets = new Map<string, number>();
  /* eslint-disable @typescript-eslint/require-await -- async turns a throw into the rejection that the contract names */
  return {
    take: async ({ key, cost, now, intervalMs, burst }) => {
      const most = now + burst * intervalMs;
      const stored = Math.min(Math.max(buckets.get(key) ?? now, now), most);
      const next = Math.max(stored + cost * intervalMs, now);
      const isTaken = next <= most;
      const fullAt = isTaken ? next : stored;
      buckets.set(key, fullAt);
      return { isTaken, fullAt };
    },
    forget: async ({ fullBefore, limit }) => {
      const full = [...buckets].filter(([, fullAt]) => fullAt < fullBefore).slice(0, limit);
      for (const [key] of full) buckets.delete(key);
      return full.length;
    },
  };
};
