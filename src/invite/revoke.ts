import { type Either, flatMap, right } from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import { type EventTemplate, contentOf } from "../matrix/event.js";
import { type RoomState, stateEvent } from "../matrix/room-state.js";
import { type Refusal, refuse } from "../refusal.js";
import { type Requester, admit } from "./admit.js";
import { emptied } from "./decide.js";
import { isRevoked } from "./proof.js";

export type RevokeOutcome =
  | { readonly _tag: "Revoke"; readonly events: readonly [EventTemplate] }
  | { readonly _tag: "AlreadyRevoked" };

/**
 * Revokes a pending third-party invite by emptying its event (REV-2, AMB-20). Anybody who may invite may revoke
 * anybody's (AUTH-N8). A token that the room does not have is `TokenUnknown`; one that is empty or redacted is revoked
 * already. An invite that was redeemed before stays: withdrawing that is a kick.
 *
 * @example
 * revoke(state, { userId }, token); // right({ _tag: "Revoke", events: [{ state_key: token, content: {}, … }] })
 */
export const revoke = (
  state: RoomState,
  requester: Requester,
  token: string,
): Either<Refusal, RevokeOutcome> =>
  pipe(
    admit(state, requester),
    flatMap((): Either<Refusal, RevokeOutcome> => {
      const standing = stateEvent(state, "m.room.third_party_invite", token);
      if (standing === undefined)
        return refuse("TokenUnknown", { answer: { errcode: "M_NOT_FOUND", status: 404 } });
      return isRevoked(contentOf(standing))
        ? right({ _tag: "AlreadyRevoked" })
        : right({ _tag: "Revoke", events: [emptied(state, requester.userId, token)] });
    }),
  );
