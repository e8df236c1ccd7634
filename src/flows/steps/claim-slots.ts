import type { OwedRedemption } from "../../invite/redemption.js";
import type { Lane } from "../../invite/redemption-row.js";
import { type ServerName, serverOf } from "../../matrix/ids.js";
import type { ClaimQuestion, Marked } from "../../ports.js";

/** A redemption that this process holds, and until when. */
export interface Claimed extends Marked<OwedRedemption> {
  readonly until: number;
}

/**
 * What this process works on at a time: so many redemptions in all, at most four for one server. One in sixteen is kept
 * for those that are vouched, of a server's four one.
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

/**
 * New rows are looked at first, by turns the vouched ones and the others; one claim in twelve looks first at those that come
 * again. So a thousand users with slow servers are all tried within ten minutes.
 */
const orderAt = (turn: number): readonly Lane[] => {
  if (turn % 12 === 11) return ["vouched-again", "unvouched-again", "vouched", "unvouched"];
  const [first, second] =
    turn % 2 === 0 ? (["vouched", "unvouched"] as const) : (["unvouched", "vouched"] as const);
  return [first, second, "vouched-again", "unvouched-again"];
};

const isVouchedLane = (lane: Lane): boolean => lane === "vouched" || lane === "vouched-again";

const isVouched = ({ value }: Claimed): boolean => value.state.isVouched;

const serverIn = ({ value }: Claimed): ServerName => serverOf(value.sender);

export const claimSlots = (most: number, nextTurn: () => number): ClaimSlots => {
  const running = new Set<Claimed>();
  const parked: Claimed[] = [];

  /** How many more of a class fit beside these. */
  const room = (vouched: boolean, taken: readonly Claimed[]): number => {
    const inAll = most - taken.length;
    const others = taken.filter((row) => !isVouched(row)).length;
    return vouched ? inAll : Math.min(inAll, Math.max(1, Math.floor((most * 15) / 16)) - others);
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
      const taken = [...running, ...parked];
      const lanes = orderAt(nextTurn()).filter((lane) => room(isVouchedLane(lane), taken) > 0);
      if (lanes.length === 0) return undefined;
      // What is claimed has its slot, whichever class it is of: what waits for one would be in the way of the other class.
      const free = Math.min(perClaim, ...lanes.map((lane) => room(isVouchedLane(lane), taken)));
      return {
        free,
        lanes: lanes.map((lane) => ({ lane, except: busy(isVouchedLane(lane)) })),
      };
    },
    park: (rows) => {
      parked.push(...rows);
    },
    next: () => {
      const mayBegin = (row: Claimed): boolean =>
        room(isVouched(row), [...running]) > 0 && !isServerFull(serverIn(row), isVouched(row));
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
