import { type Either, map, right } from "fp-ts/lib/Either.js";
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
export const inviterBy = (state: RoomState, { mxid, token }: Signed): string | undefined => {
  const event = stateEvent(state, "m.room.member", mxid);
  const signed = member(member(contentOf(event), "third_party_invite"), "signed");
  const isBy = membershipOf(state, mxid) === "invite" && stringMember(signed, "token") === token;
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

/** What the room's own third-party invite says of a proof that it bears out. */
interface ProvenByRoom {
  readonly sender: string;
  readonly displayName: string;
  readonly keys: readonly MatchedKey[];
  readonly signatures: JsonObject;
}

/** Whether the room's third-party invite bears a proof out, and its user could ever join. */
export const proveByRoom = (
  state: RoomState,
  { mxid, token, json }: Signed,
  { crypto, maxPairs }: DecisionContext,
): Either<Refusal, ProvenByRoom> => {
  const { rules } = state.version;
  const rule = `${rules.invite}.1`;
  const create = stateEvent(state, "m.room.create");
  if (create === undefined) return refuse("NoCreateEvent", { rule: rules.create });
  const tokenEvent = stateEvent(state, "m.room.third_party_invite", token);
  const sender = tokenEvent?.sender;
  if (tokenEvent === undefined || typeof sender !== "string")
    return refuse("TokenUnknown", { rule: `${rule}.5` });
  const content = contentOf(tokenEvent);
  if (isRevoked(content)) return refuse("InviteRevoked", { rule: `${rule}.8` });
  if (!federates(create, sender)) return refuse("NotFederated", { rule: rules.federate });
  if (!federates(create, mxid)) return refuse("TargetNotFederated");
  const proof = proveInvite({ crypto, version: state.version, maxPairs }, json, content);
  switch (proof._tag) {
    case "NotProven":
      return refuse("NotProven", { rule: `${rule}.8` });
    case "SignedTooLarge":
      return refuse("SignedTooLarge");
    case "TooMuchWork":
      return refuse("TooManyPairs", { detail: `There are ${proof.pairs}.` });
    case "Proven": {
      const { keys, signatures } = proof;
      return right({ sender, displayName: stringMember(content, "display_name") ?? "", keys, signatures });
    }
  }
};

const decideRedeem = (
  state: RoomState,
  { signed, records = [] }: RedeemCommand,
  context: DecisionContext,
): Either<Refusal, RedeemOutcome> => {
  const { rules } = state.version;
  if (stateEvent(state, "m.room.create") === undefined)
    return refuse("NoCreateEvent", { rule: rules.create });
  const membership = membershipOf(state, signed.mxid);
  if (membership === "ban") return refuse("TargetBanned", { rule: `${rules.invite}.1.1` });
  if (membership === "join") return right({ _tag: "AlreadyJoined", events: [] });
  const inviter = inviterBy(state, signed);
  if (inviter !== undefined) return right({ _tag: "AlreadyInvited", sender: inviter, events: [] });
  return map(({ sender, displayName, keys, signatures }: ProvenByRoom): RedeemOutcome => ({
    _tag: "Redeem",
    events: [
      inviteEvent(state, sender, signed.mxid, {
        ...detailsContent(records.find((record) => record.sender === sender)?.details ?? {}),
        third_party_invite: { display_name: displayName, signed: rebuilt(signed.json, signatures) },
      }),
    ],
    keys,
  }))(proveByRoom(state, signed, context));
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
