import { type Either, flatMap, map, right } from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import { type EventTemplate, type StateEntry, entry } from "../matrix/event.js";
import type { UserId } from "../matrix/ids.js";
import { type RoomState, membershipOf, stateEvent } from "../matrix/room-state.js";
import { type Refusal, refuse } from "../refusal.js";
import { powerEntries } from "./admit-inviter.js";
import { type Requester, admit } from "./admit.js";
import type { Decision } from "./decision.js";
import { emptied } from "./event-templates.js";
import { type InviteRecord, redeemerOf, tokensOf } from "./invite-life.js";
import { isPending } from "./room-invite.js";

export type RevokeOutcome =
  | { readonly _tag: "Revoke"; readonly events: readonly EventTemplate[] }
  | { readonly _tag: "AlreadyRevoked"; readonly events: readonly [] };

/** An invite that was redeemed stays: to withdraw it is to kick its user. */
export type RevokeInviteOutcome =
  RevokeOutcome | { readonly _tag: "AlreadyRedeemed"; readonly by: UserId; readonly events: readonly [] };

/** The places of some third-party invites. */
export const tokenEntries = (tokens: readonly string[]): readonly StateEntry[] =>
  tokens.map((token) => entry("m.room.third_party_invite", token));

/** The members by whom invites were redeemed: whether they are in the room decides what may be emptied. */
export const redeemerEntries = (records: readonly InviteRecord[]): readonly StateEntry[] =>
  records.flatMap(({ life }) => {
    const by = redeemerOf(life);
    return by === undefined ? [] : [entry("m.room.member", by)];
  });

const emptyAll = (state: RoomState, { userId }: Requester, tokens: readonly string[]): RevokeOutcome =>
  tokens.length === 0
    ? { _tag: "AlreadyRevoked", events: [] }
    : { _tag: "Revoke", events: tokens.map((token) => emptied(state, userId, token)) };

/** Empties the requester's own tokens, as far as their events are pending and nobody has taken them over. */
export const emptyOwn = (
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
        tokens.filter((token) => isPending(state, token) && isOwn(token)),
      ),
    ),
  );
};

/**
 * Revokes a pending third-party invite by emptying its event (D-20). Anybody who may invite may revoke anybody's. A token
 * that the room does not have is `TokenUnknown`; one whose event is empty or redacted is revoked already.
 */
export const revoke: Decision<{ readonly requester: Requester; readonly token: string }, RevokeOutcome> = {
  reads: ({ requester, token }) => [...powerEntries(requester.userId), ...tokenEntries([token])],
  decide: (state, { requester, token }) =>
    pipe(
      admit(state, requester),
      flatMap((): Either<Refusal, RevokeOutcome> =>
        stateEvent(state, "m.room.third_party_invite", token) === undefined
          ? refuse("TokenUnknown", { answer: { errcode: "M_NOT_FOUND", status: 404 } })
          : right(emptyAll(state, requester, isPending(state, token) ? [token] : [])),
      ),
    ),
};

/** Empties some of the requester's own tokens, as far as they are pending in the room. */
export const revokeOwn: Decision<
  { readonly requester: Requester; readonly tokens: readonly string[] },
  RevokeOutcome
> = {
  reads: ({ requester, tokens }) => [...powerEntries(requester.userId), ...tokenEntries(tokens)],
  decide: (state, { requester, tokens }) => emptyOwn(state, requester, tokens),
};

/**
 * Revokes one of the requester's own invites, by its stored record: all of its tokens. Of an invite that was redeemed the
 * tokens stay until its user has joined or left: until then the rules may judge the invite anew by them.
 */
export const revokeRecord: Decision<
  { readonly requester: Requester; readonly record: InviteRecord },
  RevokeInviteOutcome
> = {
  reads: ({ requester, record }) => [
    ...powerEntries(requester.userId),
    ...tokenEntries(tokensOf(record.life)),
    ...redeemerEntries([record]),
  ],
  decide: (state, { requester, record: { life } }): Either<Refusal, RevokeInviteOutcome> => {
    const by = redeemerOf(life);
    return by !== undefined && membershipOf(state, by) === "invite"
      ? right({ _tag: "AlreadyRedeemed", by, events: [] })
      : emptyOwn(state, requester, tokensOf(life));
  },
};
