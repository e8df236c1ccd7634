import { isLeft } from "fp-ts/lib/Either.js";
import { encodeBase64 } from "../matrix/base64.js";
import { canonicalJson } from "../matrix/canonical-json.js";
import type { CryptoEngine } from "../matrix/crypto-engine.js";
import type { Branded, RoomId, UserId } from "../matrix/ids.js";
import type { JsonObject } from "../matrix/json.js";
import { encodeUtf8 } from "../matrix/utf8.js";
import type { Delivery } from "./onbind.js";

/** What a redemption is stored under: a hash of its room, its proof and who is said to have invited. */
export type RedemptionId = Branded<string, "RedemptionId">;

/** The token of an invite, and who redeems it: that can happen once. */
export interface TokenOfUser {
  readonly roomId: RoomId;
  readonly token: string;
  readonly mxid: UserId;
}

/** What stood in the way of a redemption: the code of a refusal or failure, and what whoever refused had answered. */
export interface FailureDetails {
  readonly reason: string;
  readonly status: number;
  readonly errcode: string;
}

/** A proof that is to become an invite. */
export interface WaitingRedemption {
  readonly _tag: "Waiting";
  /** The `signed` object, as it was received. */
  readonly signed: JsonObject;
  /** Whether an identity server whose key we hold has signed it. */
  readonly isVouched: boolean;
  /** Its place among those that nobody has worked on yet: the least comes first. */
  readonly turn: number;
  /** How many of its user's redemptions stood before it when it was stored. */
  readonly depth: number;
  /** Milliseconds since 1970. */
  readonly dueAt: number;
  /** How often it was tried. */
  readonly attempts: number;
  /** When somebody said no to it who must say so twice. */
  readonly refusedAt?: number;
  /** What stood in the way the last time. */
  readonly last?: FailureDetails;
}

/** A proof that was given up; it can be put back. */
export interface DeadRedemption extends FailureDetails {
  readonly _tag: "Dead";
  readonly signed: JsonObject;
  readonly isVouched: boolean;
  readonly endedAt: number;
}

/**
 * The life of a redemption.
 *
 * | state | retried | deferred | refused | killed | done | redeemed | revived |
 * | --- | --- | --- | --- | --- | --- | --- | --- |
 * | Waiting | Waiting | Waiting | Waiting, then Dead | Dead | Done | Redeemed | |
 * | Dead | | | | | | | Waiting |
 * | Done | | | | | | | |
 * | Redeemed | | | | | | | |
 * | Announced | | | | | | | |
 */
export type RedemptionState =
  | WaitingRedemption
  | DeadRedemption
  /** Another server says that it has made the invite, the user is in the room, or the token was redeemed already. */
  | { readonly _tag: "Done"; readonly endedAt: number }
  /** Our view of the room has shown the invite by this token: it is remembered, so that a replay invites nobody. */
  | { readonly _tag: "Redeemed"; readonly endedAt: number }
  /** No proof: the sender's server has sent the invite itself, and is about to append it. */
  | { readonly _tag: "Announced"; readonly endedAt: number };

/** One redemption as it is stored. */
export interface RedemptionRecord extends TokenOfUser {
  readonly id: RedemptionId;
  readonly sender: UserId;
  /** When it was stored first, in milliseconds since 1970. */
  readonly owedAt: number;
  readonly state: RedemptionState;
}

/** A redemption that waits, as a worker holds it. */
export type OwedRedemption = RedemptionRecord & { readonly state: WaitingRedemption };

export const isWaiting = (record: RedemptionRecord): record is OwedRedemption =>
  record.state._tag === "Waiting";

/** What can happen to a redemption. */
export type RedemptionTransition =
  /** It was tried, and is to be tried again. */
  | { readonly _tag: "Retry"; readonly dueAt: number; readonly details: FailureDetails }
  /** It was not tried, since its time has not come. */
  | { readonly _tag: "Defer"; readonly dueAt: number }
  /** Somebody said no who must say it twice, at least `confirmMs` apart. */
  | {
      readonly _tag: "Refuse";
      readonly at: number;
      readonly confirmMs: number;
      /** When it is tried again; when it can be confirmed unless told otherwise. */
      readonly dueAt?: number;
      readonly details: FailureDetails;
    }
  | { readonly _tag: "Kill"; readonly at: number; readonly details: FailureDetails }
  | { readonly _tag: "Done"; readonly at: number }
  | { readonly _tag: "Redeem"; readonly at: number }
  /** An operator puts it back. */
  | { readonly _tag: "Revive"; readonly at: number };

const dead = (
  { signed, isVouched }: WaitingRedemption,
  endedAt: number,
  details: FailureDetails,
): DeadRedemption => ({ _tag: "Dead", signed, isVouched, endedAt, ...details });

/** A redemption that was refused: for good, if it was long enough ago that it was refused the first time. */
const refused = (
  state: WaitingRedemption,
  { at, confirmMs, dueAt, details }: Extract<RedemptionTransition, { readonly _tag: "Refuse" }>,
): RedemptionState => {
  // A first refusal that was noted by a clock ahead of ours does not count.
  const refusedAt = Math.min(state.refusedAt ?? at, at);
  if (refusedAt + confirmMs <= at) return dead(state, at, details);
  return {
    ...state,
    refusedAt,
    dueAt: dueAt ?? refusedAt + confirmMs,
    attempts: state.attempts + 1,
    last: details,
  };
};

/** The next state, or `undefined` where the transition does not fit the state. */
export const advanceRedemption = (
  state: RedemptionState,
  transition: RedemptionTransition,
): RedemptionState | undefined => {
  if (transition._tag === "Revive") {
    if (state._tag !== "Dead") return undefined;
    const { signed, isVouched } = state;
    // Untried again, but at the place of one that was tried: it must not overtake anybody.
    return { _tag: "Waiting", signed, isVouched, turn: 0, depth: 0, dueAt: transition.at, attempts: 1 };
  }
  if (state._tag !== "Waiting") return undefined;
  switch (transition._tag) {
    case "Retry":
      return {
        ...state,
        dueAt: transition.dueAt,
        attempts: state.attempts + 1,
        last: transition.details,
      };
    case "Defer":
      return { ...state, dueAt: transition.dueAt };
    case "Refuse":
      return refused(state, transition);
    case "Kill":
      return dead(state, transition.at, transition.details);
    case "Done":
      return { _tag: "Done", endedAt: transition.at };
    case "Redeem":
      // Not earlier than it was due: by a clock that is years behind it would be forgotten at once.
      return { _tag: "Redeemed", endedAt: Math.max(transition.at, state.dueAt) };
  }
};

const idOf = (crypto: CryptoEngine, parts: readonly unknown[]): RedemptionId => {
  const name = canonicalJson(parts, "any");
  // What has no canonical form proves nothing: one row is enough for all of that kind.
  return (
    isLeft(name) ? "unreadable" : encodeBase64(crypto.sha256(encodeUtf8(name.right)), "urlsafe")
  ) as RedemptionId;
};

/**
 * The id of a proof: the same proof delivered twice is one redemption, and a forged one, which anybody can deliver, stands
 * beside the good one and not in its place.
 */
export const redemptionId = (crypto: CryptoEngine, { roomId, sender, signed }: Delivery): RedemptionId =>
  idOf(crypto, [roomId, sender, signed.json]);

/** How long the inviter's server may take to append what it has sent us for our signature. */
export const announcedForMs = 5 * 60_000;

/** The note that the sender's own server has sent an invite: one for a token, user and sender in each period. */
export const announcement = (
  crypto: CryptoEngine,
  { roomId, token, mxid, sender }: TokenOfUser & { readonly sender: UserId },
  at: number,
): RedemptionRecord => ({
  id: idOf(crypto, ["announced", roomId, token, mxid, sender, Math.floor(at / announcedForMs)]),
  roomId,
  token,
  mxid,
  sender,
  owedAt: at,
  state: { _tag: "Announced", endedAt: at },
});
