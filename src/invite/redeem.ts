import { type Either, isRight, right } from "fp-ts/lib/Either.js";
import { canonicalJson } from "../matrix/canonical-json.js";
import type { CryptoEngine } from "../matrix/crypto-engine.js";
import { type EventTemplate, contentOf } from "../matrix/event.js";
import { type JsonObject, member, stringMember, withoutMembers } from "../matrix/json.js";
import { type RoomState, membershipOf, stateEvent } from "../matrix/room-state.js";
import { type RoomVersion, numbersOf } from "../matrix/room-version.js";
import { utf8Length } from "../matrix/utf8.js";
import { type Refusal, refuse } from "../refusal.js";
import { federates } from "./rules.js";
import { type InviteDetails, detailsContent } from "./decide.js";
import { type MatchedKey, isRevoked, proveInvite } from "./proof.js";
import type { Signed } from "./signed.js";

/** What to do with a proof of ownership. */
export type RedeemOutcome =
  | {
      readonly _tag: "Redeem";
      readonly event: EventTemplate;
      /** The keys that signed; whoever makes the event asks first whether any of them is still valid. */
      readonly keys: readonly MatchedKey[];
    }
  /** The invite was made already, by this very token; who stands as its sender. */
  | { readonly _tag: "AlreadyInvited"; readonly sender: string }
  /** They are in the room; an invite would throw them out of it (D-19). */
  | { readonly _tag: "AlreadyJoined" };

/** Who invited this user by this token, if it is what they are invited by. */
const inviterBy = (state: RoomState, userId: string, token: string): string | undefined => {
  const event = stateEvent(state, "m.room.member", userId);
  const signed = member(member(contentOf(event), "third_party_invite"), "signed");
  const isBy = membershipOf(state, userId) === "invite" && stringMember(signed, "token") === token;
  return isBy && typeof event?.sender === "string" ? event.sender : undefined;
};

/**
 * Turns a proof of ownership into the member event that invites its user, as the
 * maker of that event: the sender and the `display_name` are those of the room's own third-party invite, never of
 * the request, and of `signed` goes in all that is signed. Refuses `TokenUnknown` (it may still arrive),
 * `InviteRevoked`, `TargetBanned`, `TargetNotFederated`, `NotProven`, `TooManyPairs`, `SignedTooLarge`.
 *
 * The sender need be neither joined nor powerful any more: the rules say so.
 *
 * The server adds the member event for the user to whom the address is bound: https://spec.matrix.org/v1.19/client-server-api/#third-party-invites
 *
 * @example
 * redeem(state, signed, nodeCrypto); // right({ _tag: "Redeem", event: { type: "m.room.member", … }, keys: […] })
 */
export const redeem = (
  state: RoomState,
  signed: Signed,
  crypto: CryptoEngine,
  options: { readonly maxPairs?: number; readonly details?: InviteDetails } = {},
): Either<Refusal, RedeemOutcome> => {
  const rule = `${state.version.rules.invite}.1`;
  const { mxid, token } = signed;
  const create = stateEvent(state, "m.room.create");
  if (create === undefined)
    return refuse("NoCreateEvent", {
      rule: state.version.rules.create,
    });
  const membership = membershipOf(state, mxid);
  if (membership === "ban") return refuse("TargetBanned", { rule: `${rule}.1` });
  if (membership === "join") return right({ _tag: "AlreadyJoined" });
  const inviter = inviterBy(state, mxid, token);
  if (inviter !== undefined) return right({ _tag: "AlreadyInvited", sender: inviter });

  const tokenEvent = stateEvent(state, "m.room.third_party_invite", token);
  const sender = tokenEvent?.sender;
  if (tokenEvent === undefined || typeof sender !== "string")
    return refuse("TokenUnknown", { rule: `${rule}.5` });
  const content = contentOf(tokenEvent);
  if (isRevoked(content)) return refuse("InviteRevoked", { rule: `${rule}.8` });
  if (!federates(create, sender)) return refuse("NotFederated", { rule: state.version.rules.federate });
  if (!federates(create, mxid)) return refuse("TargetNotFederated");

  const proof = proveInvite(crypto, state.version, signed.json, content, options.maxPairs);
  switch (proof._tag) {
    case "NotProven":
      return refuse("NotProven", { rule: `${rule}.8` });
    case "SignedTooLarge":
      return refuse("SignedTooLarge");
    case "TooMuchWork":
      return refuse("TooManyPairs", { detail: `There are ${proof.pairs}.` });
    case "Proven": {
      const event: EventTemplate = {
        type: "m.room.member",
        room_id: state.roomId,
        sender,
        state_key: mxid,
        content: {
          membership: "invite",
          ...detailsContent(options.details ?? {}),
          third_party_invite: {
            display_name: stringMember(content, "display_name") ?? "",
            signed: rebuilt(signed.json, proof.signatures),
          },
        },
      };
      return fits(event.content, state.version)
        ? right({ _tag: "Redeem", event, keys: proof.keys })
        : refuse("SignedTooLarge");
    }
  }
};

/**
 * `signed` as it goes into the event: every member that the signature covers, as it came. What it does not
 * cover is not taken from a stranger: `unsigned` goes, and of `signatures` those that verified stay. Some servers give
 * up at the first one that does not.
 */
const rebuilt = (signed: JsonObject, signatures: JsonObject): JsonObject => ({
  ...withoutMembers(signed, ["unsigned"]),
  signatures,
});

/** An event has 65,536 bytes at most; what the host's builder adds has room in the rest. */
const maxContentBytes = 60_000;

const fits = (content: JsonObject, version: RoomVersion): boolean => {
  const text = canonicalJson(content, numbersOf(version));
  return isRight(text) && utf8Length(text.right) <= maxContentBytes;
};
