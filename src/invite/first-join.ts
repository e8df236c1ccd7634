import { type Either, right } from "fp-ts/lib/Either.js";
import { contentOf, entry } from "../matrix/event.js";
import type { UserId } from "../matrix/ids.js";
import { isJsonObject, member, stringMember } from "../matrix/json.js";
import { type RoomState, membershipOf, stateEvent } from "../matrix/room-state.js";
import { type Refusal, refuse } from "../refusal.js";
import type { Decision } from "./decision.js";
import { type MatchedKey, proveInvite } from "./proof.js";

export interface FirstJoinCommand {
  /** Who is about to join. */
  readonly userId: UserId;
  /** The token of the invite that they join by. */
  readonly token: string;
}

const nothing = { _tag: "NothingToCheck", events: [] } as const;

/** The `signed` object of the invite that a user is invited by now. */
const signedOf = (state: RoomState, userId: UserId): unknown =>
  membershipOf(state, userId) === "invite"
    ? member(member(contentOf(stateEvent(state, "m.room.member", userId)), "third_party_invite"), "signed")
    : undefined;

export type FirstJoinTokenOutcome =
  | { readonly _tag: "NothingToCheck"; readonly events: readonly [] }
  /** `firstJoin` decides, on a state that has this token's event too. */
  | { readonly _tag: "CheckToken"; readonly token: string; readonly events: readonly [] };

/** By which third-party invite, if any, a user is invited: its event can be read once its token is known. */
export const firstJoinToken: Decision<{ readonly userId: UserId }, FirstJoinTokenOutcome> = {
  reads: ({ userId }) => [entry("m.room.member", userId)],
  decide: (state, { userId }) => {
    const token = stringMember(signedOf(state, userId), "token");
    return right(token === undefined ? nothing : { _tag: "CheckToken", token, events: [] });
  },
};

export type FirstJoinOutcome =
  | { readonly _tag: "NothingToCheck"; readonly events: readonly [] }
  /** One of these keys must still be valid. */
  | { readonly _tag: "CheckKeys"; readonly keys: readonly MatchedKey[]; readonly events: readonly [] };

/**
 * Whether the invite that a user of another server is about to join by came from a third-party invite, and then which
 * keys the server they first join through must ask after. A token event that has been emptied or replaced since leaves
 * no key to ask after; the invite holds by the rules, and so does the join. More pairs than the budget are refused
 * (`TooManyPairs`), and so is a proof that no event can hold (`SignedTooLarge`).
 *
 * The server that a user joins through checks the keys of the invite at their `key_validity_url`:
 * https://spec.matrix.org/v1.19/client-server-api/#third-party-invites
 */
export const firstJoin: Decision<FirstJoinCommand, FirstJoinOutcome> = {
  reads: ({ userId, token }) => [entry("m.room.member", userId), entry("m.room.third_party_invite", token)],
  decide: (state, { userId, token }, { crypto, maxPairs }): Either<Refusal, FirstJoinOutcome> => {
    const signed = signedOf(state, userId);
    const tokenEvent = stateEvent(state, "m.room.third_party_invite", token);
    if (!isJsonObject(signed) || signed["token"] !== token || tokenEvent === undefined) return right(nothing);
    const proof = proveInvite({ crypto, version: state.version, maxPairs }, signed, contentOf(tokenEvent));
    switch (proof._tag) {
      case "Proven":
        return right({ _tag: "CheckKeys", keys: proof.keys, events: [] });
      case "NotProven":
        return right(nothing);
      case "SignedTooLarge":
        return refuse("SignedTooLarge");
      case "TooMuchWork":
        return refuse("TooManyPairs", { detail: `There are ${proof.pairs}.` });
    }
  },
};
