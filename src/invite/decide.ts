import { type Either, flatMap, right } from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import { canonicalJson } from "../matrix/canonical-json.js";
import { type EventLike, type EventTemplate, contentOf } from "../matrix/event.js";
import type { UserId } from "../matrix/ids.js";
import type { JsonObject } from "../matrix/json.js";
import { type RoomState, membershipOf, stateEvent } from "../matrix/room-state.js";
import { type Refusal, refuse } from "../refusal.js";
import { type Requester, admit } from "./admit.js";
import { federates } from "./rules.js";
import type { MintedInvite, Token } from "./minted.js";
import { isRevoked } from "./proof.js";

/** What the inviter said beside whom to invite; it goes into the member event, now or when the invite is redeemed. */
export interface InviteDetails {
  readonly isDirect?: boolean;
  readonly reason?: string;
}

/** How the invitee's profile reads, where this server knows it. */
export interface Profile {
  readonly displayname?: string;
  readonly avatarUrl?: string;
}

/** Who is behind the identifier: a user, or nobody yet and then the invite that the identity server minted. */
export type Invitee =
  | ({ readonly _tag: "Bound"; readonly userId: UserId; readonly profile?: Profile } & InviteDetails)
  | {
      readonly _tag: "Unbound";
      readonly minted: MintedInvite;
      /** Earlier tokens of the same invite, which the new one takes the place of. */
      readonly supersedes?: readonly Token[];
    };

/** What to do. */
export type InviteOutcome =
  | { readonly _tag: "Invite"; readonly events: readonly [EventTemplate] }
  | { readonly _tag: "AlreadyInvited"; readonly userId: UserId }
  | {
      readonly _tag: "ThirdPartyInvite";
      readonly token: Token;
      readonly events: readonly EventTemplate[];
      /** The earlier tokens that the room has, empty from now on; the others may still come. */
      readonly superseded: readonly Token[];
    }
  | { readonly _tag: "AlreadyPending"; readonly token: Token };

/** The details as they stand in a member event. */
export const detailsContent = ({ isDirect, reason }: InviteDetails): JsonObject => ({
  ...(isDirect === true ? { is_direct: true } : {}),
  ...(reason === undefined ? {} : { reason }),
});

const profileContent = ({ displayname, avatarUrl }: Profile): JsonObject => ({
  ...(displayname === undefined ? {} : { displayname }),
  ...(avatarUrl === undefined ? {} : { avatar_url: avatarUrl }),
});

const template = (
  state: RoomState,
  sender: UserId,
  type: EventTemplate["type"],
  stateKey: string,
  content: JsonObject,
): EventTemplate => ({ type, room_id: state.roomId, sender, state_key: stateKey, content });

/** The event that empties a third-party invite: whoever redeems it later finds no key. */
export const emptied = (state: RoomState, sender: UserId, token: string): EventTemplate =>
  template(state, sender, "m.room.third_party_invite", token, {});

/**
 * The content of the room's event: the first key again at the top level, for old servers (D-14).
 *
 * The content has `display_name`, `public_key`, `key_validity_url` and `public_keys`: https://spec.matrix.org/v1.19/client-server-api/#mroomthird_party_invite
 */
export const thirdPartyInviteContent = ({ displayName, publicKeys }: MintedInvite): JsonObject => ({
  display_name: displayName,
  key_validity_url: publicKeys[0].keyValidityUrl,
  public_key: publicKeys[0].publicKey,
  public_keys: publicKeys.map((key) => ({
    public_key: key.publicKey,
    key_validity_url: key.keyValidityUrl,
  })),
});

/**
 * Whether this user may be invited at all: not joined, not banned, and on a server that could ever join
 * (docs/decisions.md: makers are stricter than the rules).
 */
export const admitTarget = (state: RoomState, userId: UserId): Either<Refusal, "invited" | "outside"> => {
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

const decideBound = (
  state: RoomState,
  sender: UserId,
  invitee: Extract<Invitee, { _tag: "Bound" }>,
): Either<Refusal, InviteOutcome> =>
  pipe(
    admitTarget(state, invitee.userId),
    flatMap((standing): Either<Refusal, InviteOutcome> => {
      if (standing === "invited") return right({ _tag: "AlreadyInvited", userId: invitee.userId });
      const content = {
        ...profileContent(invitee.profile ?? {}),
        membership: "invite",
        ...detailsContent(invitee),
      };
      return right({
        _tag: "Invite",
        events: [template(state, sender, "m.room.member", invitee.userId, content)],
      });
    }),
  );

const sameContent = (one: unknown, other: unknown): boolean => {
  const [a, b] = [canonicalJson(one), canonicalJson(other)];
  return a._tag === "Right" && b._tag === "Right" && a.right === b.right;
};

const decideUnbound = (
  state: RoomState,
  sender: UserId,
  { minted, supersedes = [] }: Extract<Invitee, { _tag: "Unbound" }>,
): Either<Refusal, InviteOutcome> => {
  const { token } = minted;
  const content = thirdPartyInviteContent(minted);
  const standing = stateEvent(state, "m.room.third_party_invite", token);
  if (standing !== undefined)
    // Ours, appended before a crash could be noted; or somebody else's, which a second event would overwrite.
    return standing.sender === sender && sameContent(standing.content, content)
      ? right({ _tag: "AlreadyPending", token })
      : refuse("TokenTaken");
  const invite = template(state, sender, "m.room.third_party_invite", token, content);
  const at = (earlier: Token): EventLike | undefined =>
    stateEvent(state, "m.room.third_party_invite", earlier);
  const superseded = supersedes.filter((earlier) => earlier !== token && at(earlier) !== undefined);
  const alive = superseded.filter(
    (earlier) => at(earlier)?.sender === sender && !isRevoked(contentOf(at(earlier))),
  );
  return right({
    _tag: "ThirdPartyInvite",
    token,
    events: [invite, ...alive.map((earlier) => emptied(state, sender, earlier))],
    superseded,
  });
};

/**
 * The outcome of an invite, from the state of the room, who asks, and who is behind the identifier: the whole of
 * what `POST /rooms/{roomId}/invite` decides, for either of its forms. Somebody is:
 * their `m.room.member` invite, or `AlreadyInvited` and no event. Nobody yet: the
 * `m.room.third_party_invite` that carries the token. Pure: decide again on a newer state and get a newer answer.
 *
 * If no user is known for the identifier, the server sends an `m.room.third_party_invite`: https://spec.matrix.org/v1.19/client-server-api/#thirdparty_post_matrixclientv3roomsroomidinvite
 *
 * @example
 * decide(state, { userId: alice }, { _tag: "Bound", userId: bob });
 * // right({ _tag: "Invite", events: [{ type: "m.room.member", state_key: bob, … }] })
 */
export const decide = (
  state: RoomState,
  requester: Requester,
  invitee: Invitee,
): Either<Refusal, InviteOutcome> =>
  pipe(
    admit(state, requester),
    flatMap(() =>
      invitee._tag === "Bound"
        ? decideBound(state, requester.userId, invitee)
        : decideUnbound(state, requester.userId, invitee),
    ),
  );
