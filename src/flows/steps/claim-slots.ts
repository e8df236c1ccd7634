import type { OwedRedemption } from "../../invite/redemption.js";
import type { Lane } from "../../invite/redemption-row.js";
import { type ServerName, serverOf } from "../../matrix/ids.js";
import type { ClaimQuestion, Marked } from "../../ports.js";

/** A redemption that this process holds, and until when. */
export interface Claimed extends Marked<OwedRedemption> {
  readonly until: number;
}

/**
 * What this process works on at a time: so many redemptions in all, at most four for one server. A quarter is kept for
 * those that are vouched, of a server's four one.
 */
export interface ClaimSlots {
  /** What to claim now, or `undefined` where nothing may begin. */
  readonly question: () => { readonly lanes: ClaimQuestion["lanes"]; readonly free: number } | undefined;
  /** Claimed rows, to begin when there is a slot for them. */
  readonly park: (rows: readonly Claimed[]) => void;
  /** The next parked row that may begin; it holds its slot until it is given back. */
  readonly next: () => Claimed | undefined;
  readonly giveBack: (row: Claimed) => void;
}

/** For one server. */
const perServer = 4;

/** Rows in one claim: more cost nothing less, and would wait longer for their slot. */
const perClaim = 8;

/** Three claims in four look at new rows first, one in four at those that come again. */
const orders: readonly (readonly Lane[])[] = [
  ["vouched", "unvouched", "vouched-again", "unvouched-again"],
  ["vouched", "unvouched", "vouched-again", "unvouched-again"],
  ["unvouched", "vouched", "vouched-again", "unvouched-again"],
  ["vouched-again", "unvouched-again", "vouched", "unvouched"],
];

const isVouchedLane = (lane: Lane): boolean => lane === "vouched" || lane === "vouched-again";

const isVouched = ({ value }: Claimed): boolean => value.state.isVouched;

const serverIn = ({ value }: Claimed): ServerName => serverOf(value.sender);

export const claimSlots = (most: number, nextTurn: () => number): ClaimSlots => {
  const running = new Set<Claimed>();
  const parked: Claimed[] = [];

  const isFull = (vouched: boolean): boolean => {
    const others = [...running].filter((row) => !isVouched(row)).length;
    return running.size >= most || (!vouched && others >= Math.max(1, Math.floor((most * 3) / 4)));
  };

  const isServerFull = (server: ServerName, vouched: boolean): boolean => {
    const there = [...running].filter((row) => serverIn(row) === server);
    const others = there.filter((row) => !isVouched(row)).length;
    return there.length >= perServer || (!vouched && others >= perServer - 1);
  };

  /** Servers that have no slot for this class, or rows of it that wait for one. */
  const busy = (vouched: boolean): readonly ServerName[] => {
    const names = [...running].map(serverIn).filter((server) => isServerFull(server, vouched));
    const waiting = parked.filter((row) => isVouched(row) === vouched).map(serverIn);
    return [...new Set([...names, ...waiting])];
  };

  return {
    question: () => {
      const free = Math.min(most - running.size - parked.length, perClaim);
      if (free <= 0) return undefined;
      const order = orders[nextTurn() % orders.length] ?? [];
      const lanes = order
        .filter((lane) => !isFull(isVouchedLane(lane)))
        .map((lane) => ({ lane, except: busy(isVouchedLane(lane)) }));
      return lanes.length === 0 ? undefined : { lanes, free };
    },
    park: (rows) => {
      parked.push(...rows);
    },
    next: () => {
      const mayBegin = (row: Claimed): boolean =>
        !isFull(isVouched(row)) && !isServerFull(serverIn(row), isVouched(row));
      const row = parked.find((one) => isVouched(one) && mayBegin(one)) ?? parked.find(mayBegin);
      if (row === undefined) return undefined;
      parked.splice(parked.indexOf(row), 1);
      running.add(row);
      return row;
    },
    giveBack: (row) => {
      running.delete(row);
    },
  };
};
