import { type Either, right } from "fp-ts/lib/Either.js";
import { type EventTemplate, type StateEntry, contentOf, entry } from "../matrix/event.js";
import { type JsonObject, member, stringMember, withoutMembers } from "../matrix/json.js";
import { type RoomState, membershipOf, stateEvent } from "../matrix/room-state.js";
import { type Refusal, refuse } from "../refusal.js";
import { federates } from "./rules.js";
import type { Decision, DecisionContext } from "./decision.js";
import { detailsContent, inviteEvent } from "./event-templates.js";
import type { InviteRecord } from "./invite-life.js";
import { type MatchedKey, isRevoked, proveInvite } from "./proof.js";
import type { Signed } from "./signed.js";

export interface RedeemCommand {
  readonly signed: Signed;
  /** This server's own invites with this token: what their sender said goes into the event. */
  readonly records?: readonly Pick<InviteRecord, "sender" | "details">[];
}

/** What to do with a proof of ownership. */
export type RedeemOutcome =
  | {
      readonly _tag: "Redeem";
      readonly events: readonly [EventTemplate];
      /** The keys that signed; whoever appends the event asks first whether any of them is still valid. */
      readonly keys: readonly MatchedKey[];
    }
  /** The invite was made already, by this very token; who stands as its sender. */
  | { readonly _tag: "AlreadyInvited"; readonly sender: string; readonly events: readonly [] }
  /** They are in the room; an invite would take them out of it (D-19). */
  | { readonly _tag: "AlreadyJoined"; readonly events: readonly [] };

/** Who invited this user by this token, if it is what they are invited by. */
const inviterBy = (state: RoomState, userId: string, token: string): string | undefined => {
  const event = stateEvent(state, "m.room.member", userId);
  const signed = member(member(contentOf(event), "third_party_invite"), "signed");
  const isBy = membershipOf(state, userId) === "invite" && stringMember(signed, "token") === token;
  return isBy && typeof event?.sender === "string" ? event.sender : undefined;
};

/**
 * `signed` as it goes into the event: every member that the signature covers, as it came. What it does not cover is not
 * taken from a stranger: `unsigned` is left out, and of `signatures` those that verified stay, since some servers give
 * up at the first one that does not (D-17).
 */
const rebuilt = (signed: JsonObject, signatures: JsonObject): JsonObject => ({
  ...withoutMembers(signed, ["unsigned"]),
  signatures,
});

/** The entries that a redemption reads. */
export const redeemEntries = ({ mxid, token }: Signed): readonly StateEntry[] => [
  entry("m.room.create"),
  entry("m.room.member", mxid),
  entry("m.room.third_party_invite", token),
];

const decideRedeem = (
  state: RoomState,
  { signed, records = [] }: RedeemCommand,
  { crypto, maxPairs }: DecisionContext,
): Either<Refusal, RedeemOutcome> => {
  const rule = `${state.version.rules.invite}.1`;
  const { mxid, token } = signed;
  const create = stateEvent(state, "m.room.create");
  if (create === undefined) return refuse("NoCreateEvent", { rule: state.version.rules.create });
  const membership = membershipOf(state, mxid);
  if (membership === "ban") return refuse("TargetBanned", { rule: `${rule}.1` });
  if (membership === "join") return right({ _tag: "AlreadyJoined", events: [] });
  const inviter = inviterBy(state, mxid, token);
  if (inviter !== undefined) return right({ _tag: "AlreadyInvited", sender: inviter, events: [] });

  const tokenEvent = stateEvent(state, "m.room.third_party_invite", token);
  const sender = tokenEvent?.sender;
  if (tokenEvent === undefined || typeof sender !== "string")
    return refuse("TokenUnknown", { rule: `${rule}.5` });
  const content = contentOf(tokenEvent);
  if (isRevoked(content)) return refuse("InviteRevoked", { rule: `${rule}.8` });
  if (!federates(create, sender)) return refuse("NotFederated", { rule: state.version.rules.federate });
  if (!federates(create, mxid)) return refuse("TargetNotFederated");

  const proof = proveInvite({ crypto, version: state.version, maxPairs }, signed.json, content);
  switch (proof._tag) {
    case "NotProven":
      return refuse("NotProven", { rule: `${rule}.8` });
    case "SignedTooLarge":
      return refuse("SignedTooLarge");
    case "TooMuchWork":
      return refuse("TooManyPairs", { detail: `There are ${proof.pairs}.` });
    case "Proven":
      return right({
        _tag: "Redeem",
        events: [
          inviteEvent(state, sender, mxid, {
            ...detailsContent(records.find((record) => record.sender === sender)?.details ?? {}),
            third_party_invite: {
              display_name: stringMember(content, "display_name") ?? "",
              signed: rebuilt(signed.json, proof.signatures),
            },
          }),
        ],
        keys: proof.keys,
      });
  }
};

/**
 * Turns a proof of ownership into the member event that invites its user. The sender and the `display_name` are those
 * of the room's own third-party invite, never of a request. Refuses `TokenUnknown` (the event may still arrive),
 * `InviteRevoked`, `TargetBanned`, `TargetNotFederated`, `NotProven`, `TooManyPairs`, `SignedTooLarge`.
 *
 * The sender need not be joined or powerful any more: the authorisation rules do not ask for it.
 *
 * The server adds the member event for the user to whom the address is bound:
 * https://spec.matrix.org/v1.19/client-server-api/#third-party-invites
 */
export const redeem: Decision<RedeemCommand, RedeemOutcome> = {
  reads: ({ signed }) => redeemEntries(signed),
  decide: decideRedeem,
};
