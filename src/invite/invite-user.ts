import { type Either, flatMap, right } from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import { type EventTemplate, entry } from "../matrix/event.js";
import type { UserId } from "../matrix/ids.js";
import { type RoomState, membershipOf, stateEvent } from "../matrix/room-state.js";
import { type Refusal, refuse } from "../refusal.js";
import { powerEntries } from "./admit-inviter.js";
import { type Requester, admit } from "./admit.js";
import { federates } from "./rules.js";
import type { Decision } from "./decision.js";
import {
  type InviteDetails,
  type Profile,
  detailsContent,
  inviteEvent,
  profileContent,
} from "./event-templates.js";

export interface InviteUserCommand {
  readonly requester: Requester;
  /** Whom to invite. */
  readonly userId: UserId;
  readonly profile?: Profile;
  readonly details?: InviteDetails;
}

export type InviteUserOutcome =
  | { readonly _tag: "Invite"; readonly events: readonly [EventTemplate] }
  | { readonly _tag: "AlreadyInvited"; readonly userId: UserId; readonly events: readonly [] };

/**
 * Whether this user may be invited at all: not joined, not banned, and on a server that could ever join. The last is
 * stricter than the authorisation rules (D-100).
 */
const admitTarget = (state: RoomState, userId: UserId): Either<Refusal, "invited" | "outside"> => {
  const rule = `${state.version.rules.invite}.3`;
  const create = stateEvent(state, "m.room.create");
  if (create !== undefined && !federates(create, userId)) return refuse("TargetNotFederated");
  const membership = membershipOf(state, userId);
  switch (membership) {
    case "join":
      return refuse("TargetJoined", { rule });
    case "ban":
      return refuse("TargetBanned", { rule });
    case "invite":
      return right("invited");
    case "knock":
    case "leave":
      return right("outside");
  }
};

/**
 * The invite of a user whose ID is known: their `m.room.member` event, or `AlreadyInvited` and no event. The
 * specification says that only members may invite, and that an invite must not be made for somebody who is joined or
 * banned: https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3roomsroomidinvite
 */
export const inviteUser: Decision<InviteUserCommand, InviteUserOutcome> = {
  reads: ({ requester, userId }) => [...powerEntries(requester.userId), entry("m.room.member", userId)],
  decide: (state, { requester, userId, profile = {}, details = {} }) =>
    pipe(
      admit(state, requester),
      flatMap(() => admitTarget(state, userId)),
      flatMap((membership): Either<Refusal, InviteUserOutcome> => {
        if (membership === "invited") return right({ _tag: "AlreadyInvited", userId, events: [] });
        const content = { ...profileContent(profile), ...detailsContent(details) };
        return right({
          _tag: "Invite",
          events: [inviteEvent(state, requester.userId, userId, content)],
        });
      }),
    ),
};
