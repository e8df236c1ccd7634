import type { Limits } from "../../src/ports.js";
import { readRedemption } from "../../src/storage/index.js";
import type { OpenStorage } from "../../src/testing/contract/index.js";
import type { Fault } from "./contract-faults.js";
import { toyInvites } from "./contract-toy-invites.js";
import { toyRedemptions } from "./contract-toy-redemptions.js";
import { type ToyRow, type ToyState, soon } from "./contract-toy-state.js";

const toyLimits = ({ buckets }: ToyState, fault?: Fault): Limits => {
  const is = (one: Fault): boolean => fault === one;
  return {
    take: async ({ key, cost, now, intervalMs, burst }) => {
      await soon();
      const name = is("buckets have no case") ? key.toLowerCase() : key;
      const most = now + burst * intervalMs;
      const before = buckets.get(name) ?? now;
      if (is("take looks, and stores later")) await soon();
      const bounded = is("take believes what is stored") ? before : Math.min(before, most);
      const stored = is("a bucket never fills again") ? bounded : Math.max(bounded, now);
      const next = is("take gives back without bound")
        ? stored + cost * intervalMs
        : Math.max(stored + cost * intervalMs, now);
      const isTaken = next <= most || is("take takes what is not there");
      const fullAt = isTaken ? next : stored;
      if (isTaken || !is("take keeps what a clock far ahead stored")) buckets.set(name, fullAt);
      if (is("take stores what it does not take")) buckets.set(name, next);
      return { isTaken, fullAt };
    },
    forget: async ({ fullBefore, limit }) => {
      await soon();
      const full = [...buckets]
        .filter(([, fullAt]) =>
          is("forget forgets what is full at that time") ? fullAt <= fullBefore : fullAt < fullBefore,
        )
        .slice(0, is("forget ignores the limit") ? undefined : limit);
      for (const [key] of full) buckets.delete(key);
      return full.length;
    },
  };
};

/** A small adapter that keeps its contract, but for one fault. */
export const toy = (state: ToyState, fault?: Fault): OpenStorage => ({
  invites: toyInvites(state, fault),
  redemptions: toyRedemptions(state, fault),
  limits: toyLimits(state, fault),
});

/** The row as if nobody had claimed it. */
const unclaimed = (row: ToyRow): ToyRow => {
  const { state } = readRedemption(row.columns.record);
  return state._tag === "Waiting" ? { ...row, columns: { ...row.columns, at: state.dueAt } } : row;
};

/** What another process finds when this one has died. */
export const restarted = (state: ToyState, fault?: Fault): ToyState => {
  const rows = [...state.rows].map(([id, row]): [string, ToyRow] => [
    id,
    fault === "a restart forgets claims" ? unclaimed(row) : row,
  ]);
  if (fault === "a restart forgets the last row") rows.pop();
  return {
    records: new Map(
      [...state.records].slice(0, fault === "a restart forgets the last record" ? -1 : undefined),
    ),
    rows: new Map(rows),
    buckets: new Map(fault === "a restart forgets buckets" ? [] : state.buckets),
    count: fault === "a restart counts from one again" ? 0 : state.count,
  };
};
