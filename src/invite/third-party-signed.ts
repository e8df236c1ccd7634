import { type Either, isLeft, left, right } from "fp-ts/lib/Either.js";
import { entry } from "../matrix/event.js";
import { type RoomId, type UserId, parseUserId } from "../matrix/ids.js";
import { member } from "../matrix/json.js";
import { membershipOf, stateEvent } from "../matrix/room-state.js";
import { type Refusal, refusal, refuse } from "../refusal.js";
import type { Decision } from "./decision.js";
import type { Delivery } from "./onbind.js";
import { parseSigned } from "./signed.js";

/**
 * Reads `third_party_signed` of a join. It is flat, and signed over all its members, `sender` among them: the whole of it
 * becomes `signed` of the member event (D-31).
 */
export const parseThirdPartySigned = (
  value: unknown,
  join: { readonly roomId: RoomId; readonly userId: UserId },
): Either<Refusal, Delivery> => {
  const signed = parseSigned(value);
  if (isLeft(signed)) return signed;
  const sender = parseUserId(member(value, "sender"));
  if (isLeft(sender)) return refuse("FieldMalformed", { detail: "third_party_signed.sender" });
  return signed.right.mxid === join.userId
    ? right({ roomId: join.roomId, sender: sender.right, signed: signed.right })
    : refuse("MxidMismatch");
};

export interface ThirdPartySignedOutcome {
  /** `ToRedeem`: the user is neither joined nor invited, as far as the room is known. */
  readonly _tag: "AlreadyJoined" | "AlreadyInvited" | "ToRedeem";
  readonly events: readonly [];
}

/**
 * Whether the room makes the proof unnecessary, since its user is joined or invited, or shows that somebody else than
 * the proof's `sender` invited.
 */
export const checkThirdPartySigned: Decision<Delivery, ThirdPartySignedOutcome> = {
  reads: ({ signed }) => [
    entry("m.room.member", signed.mxid),
    entry("m.room.third_party_invite", signed.token),
  ],
  decide: (state, { sender, signed }) => {
    const membership = membershipOf(state, signed.mxid);
    if (membership === "join") return right({ _tag: "AlreadyJoined", events: [] });
    if (membership === "invite") return right({ _tag: "AlreadyInvited", events: [] });
    const tokenEvent = stateEvent(state, "m.room.third_party_invite", signed.token);
    return tokenEvent === undefined || tokenEvent.sender === sender
      ? right({ _tag: "ToRedeem", events: [] })
      : left(refusal("TokenSenderMismatch", { rule: `${state.version.rules.invite}.1.6` }));
  },
};
