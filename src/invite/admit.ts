import { type Either, left, right } from "fp-ts/lib/Either.js";
import type { UserId } from "../matrix/ids.js";
import type { RoomState } from "../matrix/room-state.js";
import { type Refusal, refuse } from "../refusal.js";
import { walk } from "./authorize.js";
import { factsOf, rulesFor } from "./rules.js";

/** Who asks, with what of their account has a say. The host has checked their access token already. */
export interface Requester {
  readonly userId: UserId;
  readonly isGuest?: boolean;
  readonly isSuspended?: boolean;
}

/**
 * May this user invite into this room now? Asked before any side effect, so that nobody without the power makes an
 * identity server send mail (D-6). It is what both an
 * `m.room.third_party_invite` and a plain invite of theirs would have to pass; whom they invite is decided by `inviteUser` and `inviteThreepid`.
 *
 * Only a joined user with the level `invite` may send a third-party invite: https://spec.matrix.org/v1.19/rooms/v12/#authorisation-rules
 * The invite endpoints are not among those for guests: https://spec.matrix.org/v1.19/client-server-api/#guest-access
 * What a suspended user may do is for the server to say: https://spec.matrix.org/v1.19/client-server-api/#account-suspension
 *
 * @example
 * admit(state, { userId }); // left({ code: "PowerTooLow", rule: "7.1", errcode: "M_FORBIDDEN", status: 403, … })
 */
export const admit = (state: RoomState, requester: Requester): Either<Refusal, void> => {
  if (requester.isGuest === true) return refuse("GuestForbidden");
  if (requester.isSuspended === true) return refuse("RequesterSuspended");
  const event = { type: "m.room.third_party_invite", room_id: state.roomId, sender: requester.userId };
  const { verdict } = walk(rulesFor.thirdPartyInvite, factsOf(event, "thirdPartyInvite", state));
  return verdict._tag === "Reject" ? left(verdict.refusal) : right(undefined);
};
