import { type Either, flatMap, map, right } from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import { type EventTemplate, contentOf } from "../matrix/event.js";
import { type RoomState, stateEvent } from "../matrix/room-state.js";
import { type Refusal, refuse } from "../refusal.js";
import { type Requester, admit } from "./admit.js";
import { emptied } from "./decide.js";
import { isRevoked } from "./proof.js";

export type RevokeOutcome =
  | { readonly _tag: "Revoke"; readonly events: readonly EventTemplate[] }
  | { readonly _tag: "AlreadyRevoked" };

/**
 * Revokes a pending third-party invite by emptying its event (D-20). Anybody who may invite may revoke
 * anybody's. A token that the room does not have is `TokenUnknown`; one that is empty or redacted is revoked
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
    flatMap((): Either<Refusal, RevokeOutcome> =>
      stateEvent(state, "m.room.third_party_invite", token) === undefined
        ? refuse("TokenUnknown", { answer: { errcode: "M_NOT_FOUND", status: 404 } })
        : right(emptyAll(state, requester, isAlive(state, token) ? [token] : [])),
    ),
  );

/** Empties the requester's own tokens, as far as they stand in the room and nobody has taken them over. */
export const revokeOwn = (
  state: RoomState,
  requester: Requester,
  tokens: readonly string[],
): Either<Refusal, RevokeOutcome> => {
  const isOwn = (token: string): boolean =>
    stateEvent(state, "m.room.third_party_invite", token)?.sender === requester.userId;
  return pipe(
    admit(state, requester),
    map(() =>
      emptyAll(
        state,
        requester,
        tokens.filter((token) => isAlive(state, token) && isOwn(token)),
      ),
    ),
  );
};

const emptyAll = (state: RoomState, { userId }: Requester, alive: readonly string[]): RevokeOutcome =>
  alive.length === 0
    ? { _tag: "AlreadyRevoked" }
    : { _tag: "Revoke", events: alive.map((token) => emptied(state, userId, token)) };

/** Whether a token's event stands in the room with a key that a proof could be held against. */
export const isAlive = (state: RoomState, token: string): boolean => {
  const event = stateEvent(state, "m.room.third_party_invite", token);
  return event !== undefined && !isRevoked(contentOf(event));
};
