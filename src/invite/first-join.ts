import { type Either, right } from "fp-ts/lib/Either.js";
import type { CryptoEngine } from "../matrix/crypto-engine.js";
import { contentOf } from "../matrix/event.js";
import type { UserId } from "../matrix/ids.js";
import { isJsonObject, member, stringMember } from "../matrix/json.js";
import { type RoomState, membershipOf, stateEvent } from "../matrix/room-state.js";
import { type Refusal, refuse } from "../refusal.js";
import { type MatchedKey, proveInvite } from "./proof.js";

/** What the resident server owes before it lets another server join for the first time. */
export type FirstJoin =
  | { readonly _tag: "NothingToCheck" }
  /** One of these keys must still be valid. */
  | { readonly _tag: "CheckKeys"; readonly keys: readonly MatchedKey[] };

const nothing: FirstJoin = { _tag: "NothingToCheck" };

/**
 * Whether the invite that a user of another server is about to join by came from a third-party invite, and then
 * which keys the server they first join through must ask after. A token event that has been emptied
 * or replaced since leaves no key to ask after; the invite stands by the rules, and so does the join. More pairs than
 * the budget are refused (`TooManyPairs`), and so is a proof that no event can hold (`SignedTooLarge`).
 *
 * The server that a user joins through checks the keys of the invite at their `key_validity_url`: https://spec.matrix.org/v1.19/client-server-api/#third-party-invites
 *
 * @example
 * firstJoin(state, userId, nodeCrypto); // right({ _tag: "CheckKeys", keys: [{ publicKey, validity }] })
 */
export const firstJoin = (
  state: RoomState,
  userId: UserId,
  crypto: CryptoEngine,
  maxPairs?: number,
): Either<Refusal, FirstJoin> => {
  if (membershipOf(state, userId) !== "invite") return right(nothing);
  const invite = contentOf(stateEvent(state, "m.room.member", userId));
  const signed = member(member(invite, "third_party_invite"), "signed");
  const token = stringMember(signed, "token");
  const tokenEvent = token === undefined ? undefined : stateEvent(state, "m.room.third_party_invite", token);
  if (!isJsonObject(signed) || tokenEvent === undefined) return right(nothing);
  const proof = proveInvite(crypto, state.version, signed, contentOf(tokenEvent), maxPairs);
  switch (proof._tag) {
    case "Proven":
      return right({ _tag: "CheckKeys", keys: proof.keys });
    case "NotProven":
      return right(nothing);
    case "SignedTooLarge":
      return refuse("SignedTooLarge");
    case "TooMuchWork":
      return refuse("TooManyPairs", { detail: `There are ${proof.pairs}.` });
  }
};
