import { type Either, isLeft, isRight, right } from "fp-ts/lib/Either.js";
import { type RoomId, type UserId, parseUserId } from "../matrix/ids.js";
import { member } from "../matrix/json.js";
import { membershipOf, stateEvent } from "../matrix/room-state.js";
import { type Refusal, refuse } from "../refusal.js";
import type { Decision } from "./decision.js";
import type { Delivery } from "./onbind.js";
import { inviterBy, proveByRoom, redeemEntries } from "./redeem.js";
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
 * Whether the room makes an invite by the proof unnecessary, since its user is joined or invited, or shows that somebody
 * else than the proof's `sender` invited. The proof of a user who is invited is checked all the same, with the refusals of
 * `redeem`; only of the very invite that they have by this token nothing is asked once its keys are gone.
 */
export const checkThirdPartySigned: Decision<Delivery, ThirdPartySignedOutcome> = {
  reads: ({ signed }) => redeemEntries(signed),
  decide: (state, { sender, signed }, context) => {
    const membership = membershipOf(state, signed.mxid);
    if (membership === "join") return right({ _tag: "AlreadyJoined", events: [] });
    const tokenEvent = stateEvent(state, "m.room.third_party_invite", signed.token);
    if (tokenEvent !== undefined && tokenEvent.sender !== sender)
      return refuse("TokenSenderMismatch", { rule: `${state.version.rules.invite}.1.6` });
    if (membership !== "invite") return right({ _tag: "ToRedeem", events: [] });
    const proven = proveByRoom(state, signed, context);
    const isKept =
      isLeft(proven) && proven.left.code === "InviteRevoked" && inviterBy(state, signed) === sender;
    return isRight(proven) || isKept ? right({ _tag: "AlreadyInvited", events: [] }) : proven;
  },
};
