import { isLeft } from "fp-ts/lib/Either.js";
import { canonicalJson } from "../matrix/canonical-json.js";
import { type ServerName, serverOf } from "../matrix/ids.js";
import type { JsonObject } from "../matrix/json.js";
import { utf8Length } from "../matrix/utf8.js";
import type { RedemptionRecord, RedemptionState, TokenOfUser } from "./redemption.js";
import { escapedText } from "./escaped-text.js";

/**
 * In which group a redemption is looked for. Four of them wait: those that nobody has worked on, and those that come
 * again, each vouched or not.
 */
export type Lane =
  "vouched" | "unvouched" | "vouched-again" | "unvouched-again" | "dead" | "done" | "redeemed" | "announced";

export const waitingLanes = ["vouched", "unvouched", "vouched-again", "unvouched-again"] as const;

/** The lanes of one class that wait: for what is untried, and for what comes again. */
export const lanesOf = (isVouched: boolean) =>
  isVouched ? (["vouched", "vouched-again"] as const) : (["unvouched", "unvouched-again"] as const);

/**
 * A redemption as a table has it: one text that only this library reads, and the columns that the statements look at. All
 * texts but `record` are escaped, so that every database holds them.
 */
export interface RedemptionRow {
  readonly id: string;
  /** Room, token and user in one. */
  readonly token: string;
  readonly mxid: string;
  readonly destination: ServerName;
  readonly lane: Lane;
  /** The order inside a lane that waits: the least is claimed first. */
  readonly place: number;
  /** Which leaves first where too many of its lane wait, or have ended: the greatest. Those with 0 stay. */
  readonly leaving: number;
  /** When somebody may claim it, or when it ended; a claim puts it off. */
  readonly at: number;
  /** About what it takes up. */
  readonly bytes: number;
  readonly record: string;
}

/** So many of a user's redemptions are kept whatever else comes, until they were tried. */
const firmDepth = 64;

/** Later than every time. */
const endOfTime = 2 ** 50;

const dayMs = 24 * 3_600_000;

/**
 * Of what was tried the oldest leaves first, so that what a flood has left goes before what comes after it. One that stood at
 * the beginning of its user's line counts as up to a day younger: the many rows of a few users leave before it.
 */
const leavingAgain = (depth: number, owedAt: number): number =>
  Math.max(endOfTime - owedAt - Math.floor(dayMs / (depth + 1)), 1);

const isFirst = ({ state, owedAt }: RedemptionRecord): boolean =>
  state._tag === "Waiting" && state.attempts === 0 && state.dueAt === owedAt;

type Order = Pick<RedemptionRow, "lane" | "place" | "leaving" | "at">;

const orderOf = (record: RedemptionRecord): Order => {
  const { state } = record;
  switch (state._tag) {
    case "Waiting": {
      const { isVouched, turn, depth, dueAt } = state;
      return isFirst(record)
        ? {
            lane: isVouched ? "vouched" : "unvouched",
            place: turn,
            leaving: depth < firmDepth ? 0 : depth,
            at: dueAt,
          }
        : {
            lane: isVouched ? "vouched-again" : "unvouched-again",
            place: dueAt,
            leaving: leavingAgain(depth, record.owedAt),
            at: dueAt,
          };
    }
    case "Dead":
      return ended("dead", state.endedAt);
    case "Done":
      return ended("done", state.endedAt);
    case "Redeemed":
      return ended("redeemed", state.endedAt);
    case "Announced":
      return ended("announced", state.endedAt);
  }
};

/** Of those that have ended the oldest leaves first. */
const ended = (lane: Lane, endedAt: number): Order => ({
  lane,
  place: endedAt,
  leaving: Number.MAX_SAFE_INTEGER - endedAt,
  at: endedAt,
});

/** What a row takes up beside its record. */
const rowBytes = 300;

/** What rows of one token and user have in common. */
export const tokenColumn = ({ roomId, token, mxid }: TokenOfUser): string =>
  escapedText(JSON.stringify([roomId, token, mxid]));

/**
 * `signed` as text. A number stays as it was written, and U+0000 is escaped. Nothing can be proven with what has no
 * canonical form; still such a row must not stop those that are stored with it.
 */
const signedText = (signed: JsonObject): string => {
  const canonical = canonicalJson(signed, "any");
  return isLeft(canonical) ? JSON.stringify(signed) : canonical.right;
};

const stateJson = (state: RedemptionState): RedemptionState | JsonObject =>
  "signed" in state ? { ...state, signed: signedText(state.signed) } : state;

const rowOf = (record: RedemptionRecord): RedemptionRow => {
  const text = JSON.stringify({ ...record, state: stateJson(record.state) });
  return {
    id: record.id,
    token: tokenColumn(record),
    mxid: escapedText(record.mxid),
    destination: serverOf(record.sender),
    ...orderOf(record),
    bytes: utf8Length(text) + rowBytes,
    record: text,
  };
};

/** A row is asked for twice: by whoever counts its bytes, and by the storage. */
const made = new WeakMap<RedemptionRecord, RedemptionRow>();

/** What a table keeps of a redemption. */
export const redemptionRow = (record: RedemptionRecord): RedemptionRow => {
  const row = made.get(record) ?? rowOf(record);
  made.set(record, row);
  return row;
};
