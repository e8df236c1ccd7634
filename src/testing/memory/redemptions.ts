import { serverOf } from "../../matrix/ids.js";
import type { OwedRedemption, RedemptionId, Redemptions, TokenOfUser, FailureDetails } from "../../ports.js";
import { frozenCopy } from "./frozen-copy.js";

/** How far a redemption has come. */
export type RedemptionState =
  /** With what stood in the way the last time, if it was tried. */
  | ({ readonly _tag: "Waiting" } & Partial<FailureDetails>)
  | { readonly _tag: "Redeemed" }
  | { readonly _tag: "Done" }
  | ({ readonly _tag: "Dead" } & FailureDetails);

/** The queue, and a look into it for tests. */
export interface MemoryRedemptions extends Redemptions {
  /** Every row that was ever owed, in the order in which it came. */
  readonly all: () => readonly (OwedRedemption & { readonly state: RedemptionState })[];
}

interface Row {
  readonly redemption: OwedRedemption;
  readonly state: RedemptionState;
  readonly lease?: { readonly id: string; readonly until: number };
}

const waiting: RedemptionState = { _tag: "Waiting" };

const nameOf = ({ roomId, token, mxid, proof }: RedemptionId): string =>
  JSON.stringify([roomId, token, mxid, proof]);

const tokenName = ({ roomId, token, mxid }: TokenOfUser): string => JSON.stringify([roomId, token, mxid]);

/** When somebody may take the row: once it is due, and no lease lives. */
const freeAt = ({ redemption, lease }: Row): number => Math.max(redemption.dueAt, lease?.until ?? -Infinity);

/**
 * The `redemptions` port in memory: it takes nothing, and forgets everything with the process. A lease ends when its
 * result is told, or when another worker takes the row after it ran out.
 *
 * @example
 * const redemptions = memoryRedemptions();
 * await redemptions.owe([row], {});
 * const [held] = await redemptions.lease({ now, until: now + 60_000, limit: 1 }, {});
 * await redemptions.settle(row, held.lease, { _tag: "Redeemed" }, {});
 * redemptions.all(); // [{ ...row, state: { _tag: "Redeemed" } }]
 */
export const memoryRedemptions = (): MemoryRedemptions => {
  const rows = new Map<string, Row>();
  let leases = 0;

  /** The names of all rows of one token and user, by {@link tokenName}. */
  const names = new Map<string, string[]>();

  /** Of these nothing is owed any more. */
  const redeemed = new Set<string>();

  const rowsOf = (of: TokenOfUser): readonly Row[] =>
    (names.get(tokenName(of)) ?? []).flatMap((name) => rows.get(name) ?? []);

  const allWaiting = (): readonly Row[] => [...rows.values()].filter(({ state }) => state._tag === "Waiting");

  /* eslint-disable @typescript-eslint/require-await -- async turns a throw into the rejection that the contract names */
  return {
    owe: async (owed) => {
      // All copied before any is added: all or nothing.
      for (const redemption of owed.map(frozenCopy)) {
        const name = nameOf(redemption);
        const token = tokenName(redemption);
        if (rows.has(name) || redeemed.has(token)) continue;
        rows.set(name, { redemption, state: waiting });
        const theirs = names.get(token) ?? [];
        // In place: one delivery may hold thousands of proofs of one token.
        theirs.push(name);
        names.set(token, theirs);
      }
    },
    countWaiting: async (of) =>
      allWaiting().filter(({ redemption }) =>
        "mxid" in of ? redemption.mxid === of.mxid : serverOf(redemption.sender) === of.destination,
      ).length,
    lease: async ({ now, until, limit }) =>
      allWaiting()
        .filter((row) => freeAt(row) <= now)
        .sort((one, other) => one.redemption.dueAt - other.redemption.dueAt)
        .slice(0, limit)
        .map(({ redemption, state }) => {
          leases += 1;
          const lease = String(leases);
          rows.set(nameOf(redemption), { redemption, state, lease: { id: lease, until } });
          return { redemption, lease };
        }),
    settle: async (id, lease, settlement) => {
      const row = rows.get(nameOf(id));
      if (row?.lease?.id !== lease) return;
      const { redemption } = row;
      if (settlement._tag === "Again") {
        const { reason, status, errcode } = settlement;
        const dueAt = Math.max(redemption.dueAt, settlement.dueAt);
        const next = frozenCopy({ ...redemption, dueAt, attempts: redemption.attempts + 1 });
        rows.set(nameOf(id), { redemption: next, state: { ...waiting, reason, status, errcode } });
      } else rows.set(nameOf(id), { redemption, state: settlement });
      if (settlement._tag !== "Redeemed") return;
      redeemed.add(tokenName(id));
      for (const other of rowsOf(id))
        if (other.state._tag === "Waiting")
          rows.set(nameOf(other.redemption), { redemption: other.redemption, state: settlement });
    },
    postpone: async (id, dueAt) => {
      for (const row of rowsOf(id)) {
        const { redemption, state } = row;
        if (state._tag !== "Waiting" || redemption.sender !== id.sender || redemption.dueAt >= dueAt)
          continue;
        rows.set(nameOf(redemption), { ...row, redemption: frozenCopy({ ...redemption, dueAt }) });
      }
    },
    nextDueAt: async () => {
      const times = allWaiting().map(freeAt);
      return times.length === 0 ? undefined : Math.min(...times);
    },
    all: () => [...rows.values()].map(({ redemption, state }) => ({ ...redemption, state })),
  };
};
