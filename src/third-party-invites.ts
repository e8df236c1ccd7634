import type { InviteLimitChecked } from "./flows/check-invite-limit.js";
import type { FirstJoinChecked, FirstJoinCommand } from "./flows/check-first-join.js";
import type { DeliverOwedCommand } from "./flows/deliver-owed.js";
import type { ExpireInvitesCommand } from "./flows/expire-invites.js";
import type { InviteAllCommand, InviteResult } from "./flows/invite-all.js";
import type { InviteCommand } from "./flows/invite.js";
import type { ListInvitesCommand } from "./flows/list-invites.js";
import type { NoteRedeemedCommand } from "./flows/note-redeemed.js";
import type { ExchangeCommand } from "./flows/receive-exchange.js";
import type { InboundInviteCommand } from "./flows/receive-inbound-invite.js";
import type { OnBindCommand, OnBindOutcome } from "./flows/receive-on-bind.js";
import type { ReadyToJoin, ThirdPartySignedCommand } from "./flows/redeem-third-party-signed.js";
import type { RevokeInviteCommand } from "./flows/revoke-invite.js";
import type { Committed } from "./flows/steps/decide.js";
import type { Delivered } from "./flows/steps/delivered.js";
import type { InviteOutcome } from "./flows/steps/invite-address.js";
import type { FlowOptions, FlowResult } from "./flows/steps/step.js";
import type { Tidied } from "./flows/steps/tidy-room.js";
import type { InboundInvite } from "./invite/inbound-invite.js";
import type { ListedInvite } from "./invite/listing.js";
import type { RedeemOutcome } from "./invite/redeem.js";
import type { RevokeInviteOutcome } from "./invite/revoke.js";
import type { OperatorCalls } from "./operator-calls.js";

/**
 * The life of third-party invites, each step as a method. Every method takes a command and, second, what may stop it, and
 * answers with `right(outcome)`, or with `left(problem)` that {@link matrixError} turns into a Matrix error. No method ever
 * rejects.
 */
export interface ThirdPartyInvites extends OperatorCalls {
  /**
   * The whole of `POST /_matrix/client/v3/rooms/{roomId}/invite`, in whichever of its two forms the body is. May they
   * invite? Then the host's policy, then the lookup. A known address leads to the ordinary invite, an unknown one to a
   * token of the identity server and its `m.room.third_party_invite`. A mail goes out once for an invite however often it
   * is asked for, unless `resend` is given. Answer every `right` with 200 and `{}`.
   *
   * Specification: https://spec.matrix.org/v1.19/client-server-api/#thirdparty_post_matrixclientv3roomsroomidinvite
   *
   * @example
   * const result = await invites.invite({ roomId, requester: { userId }, body: await request.json() });
   */
  readonly invite: (command: InviteCommand, options?: FlowOptions) => FlowResult<Committed<InviteOutcome>>;

  /**
   * Invites everybody in `invite_3pid` of a `createRoom`: one result for each entry, in their order. The room is made, so a
   * bad entry, a refusal or an identity server that is down concerns that entry alone. The same address twice is one
   * invite. `left` only where `invite_3pid` is not a list.
   *
   * Specification: https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3createroom
   *
   * @example
   * const results = await invites.inviteAll({ roomId, requester: { userId }, invites: body.invite_3pid });
   */
  readonly inviteAll: (
    command: InviteAllCommand,
    options?: FlowOptions,
  ) => FlowResult<readonly InviteResult[]>;

  /**
   * Whether a user may invite so many addresses by mail now: for a host that is about to make a room. It takes nothing, so a
   * later request may still be refused. `Fits`, or `TooMany` with how many would fit and when all of them may, unless so many
   * never fit at once.
   *
   * @example
   * const { right } = await invites.checkInviteLimit({ userId, count: body.invite_3pid.length });
   * // { _tag: "TooMany", free: 4, retryAfterMs: 800000 }
   */
  readonly checkInviteLimit: (
    command: { readonly userId: string; readonly count: number },
    options?: FlowOptions,
  ) => FlowResult<InviteLimitChecked>;

  /**
   * Receives `/_matrix/federation/v1/3pid/onbind`, whose proofs come only once. It answers when the good entries are
   * stored, and makes no invite yet: that is what `deliverOwed` does. A body that is none, more entries than are taken at
   * once or may wait (`TooManyWaiting`: nothing is kept), or storage that fails is a `left`; a bad entry, or a user whom
   * this server does not have, is not: the observer is told `Refused` for each.
   *
   * Specification: https://spec.matrix.org/v1.19/server-server-api/#put_matrixfederationv13pidonbind
   *
   * @example
   * const result = await invites.receiveOnBind({ body: await request.json() });
   * // right({ accepted: 2, refused: [{ index: 1, refusal: { code: "MxidMismatch", … } }] })
   */
  readonly receiveOnBind: (command: OnBindCommand, options?: FlowOptions) => FlowResult<OnBindOutcome>;

  /**
   * Works on the redemptions that are owed and due: each proof becomes an invite, made here or by the inviter's server; a
   * permanent refusal makes its row *dead* with the reason; anything else waits, longer each time. The host's scheduler
   * calls it, after an onbind and again at `nextDueAt`. Several workers may: a lease keeps them apart, and the rows of a
   * worker that dies come back.
   *
   * @example
   * const result = await invites.deliverOwed({ limit: 100 }); // right({ done: 2, dead: 0, again: 1, nextDueAt: … })
   */
  readonly deliverOwed: (command?: DeliverOwedCommand, options?: FlowOptions) => FlowResult<Delivered>;

  /**
   * Receives `PUT /_matrix/federation/v1/exchange_third_party_invite/{roomId}`: checks it, asks whether a key that signed
   * is still valid, and makes the invite before it answers. Answer every `right` with 200 and `{}`. What another server
   * must not do is 403; 404 says that we are not in the room.
   *
   * Specification: https://spec.matrix.org/v1.19/server-server-api/#put_matrixfederationv1exchange_third_party_inviteroomid
   *
   * @example
   * const result = await invites.receiveExchange({ roomId, origin, body });
   */
  readonly receiveExchange: (
    command: ExchangeCommand,
    options?: FlowOptions,
  ) => FlowResult<Committed<RedeemOutcome>>;

  /**
   * What the invitee's server does with an incoming `/invite` before it signs it: checks it without having the room, and
   * puts off what it still owes for the token, since the invite is about to be appended. Takes the bodies of version 2 and
   * of version 1, whose answer is `[200, { "event": … }]`. With `keyOf` the signatures in `invite_room_state` are verified.
   *
   * Specification: https://spec.matrix.org/v1.19/server-server-api/#put_matrixfederationv2inviteroomideventid
   *
   * @example
   * const result = await invites.receiveInboundInvite({ roomId, origin, body }); // right({ target, token, … })
   */
  readonly receiveInboundInvite: (
    command: InboundInviteCommand,
    options?: FlowOptions,
  ) => FlowResult<InboundInvite>;

  /**
   * The step before a join with `third_party_signed`: turns the proof that the client holds into an invite of the
   * requester, as `deliverOwed` does with one from an onbind. The host makes the join. Somebody who is joined or invited
   * already needs no step.
   *
   * Specification: https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3roomsroomidjoin
   *
   * @example
   * const ready = await invites.redeemThirdPartySigned({ roomId, requester: { userId }, thirdPartySigned });
   * // right({ _tag: "Exchanged", via: ["example.org"] })
   */
  readonly redeemThirdPartySigned: (
    command: ThirdPartySignedCommand,
    options?: FlowOptions,
  ) => FlowResult<ReadyToJoin>;

  /**
   * What the resident server checks at `make_join` and `send_join`: where a server first joins because of a third-party
   * invite, a key that signed it must still be valid. Only this server may refuse for that; the authorisation rules never
   * ask. `right` says go on.
   *
   * @example
   * await invites.checkFirstJoin({ roomId, userId: "@zoe:far.example", serverInRoom: false });
   */
  readonly checkFirstJoin: (command: FirstJoinCommand, options?: FlowOptions) => FlowResult<FirstJoinChecked>;

  /**
   * Revokes a pending third-party invite: its event is emptied, and a proof that comes later finds no key. By token:
   * anybody's, by whoever may invite. By the client's JSON (`id_server`, `medium`, `address`): the requester's own, in
   * whatever state it is; refused with `InviteNotFound` where they have made none.
   *
   * @example
   * await invites.revokeInvite({ roomId, requester: { userId }, token });
   * await invites.revokeInvite({ roomId, requester: { userId }, body: { id_server, medium, address } });
   */
  readonly revokeInvite: (
    command: RevokeInviteCommand,
    options?: FlowOptions,
  ) => FlowResult<Committed<RevokeInviteOutcome>>;

  /**
   * The third-party invites of a room for one of its members: state, age and inviter of each that is pending in the room,
   * whoever made it, and of the requester's own also those on their way and those that have ended. An address is shown to
   * its inviter alone, and only if the host stores it. Refuses with `SenderNotJoined`.
   *
   * @example
   * const listed = await invites.listInvites({ roomId, requester: { userId } });
   * // right([{ state: "Pending", sender: "@alice:example.org", token: "…", displayName: "z...@e...", since: … }])
   */
  readonly listInvites: (
    command: ListInvitesCommand,
    options?: FlowOptions,
  ) => FlowResult<readonly ListedInvite[]>;

  /**
   * What an upgrade of a room leaves behind: a new room does not have the third-party invites of the old one, and a proof
   * leads its user into the old. For the host, after it has sent the tombstone: each is to be asked for again by its
   * inviter, in the new room, and revoked in the old.
   *
   * @example
   * const left = await invites.invitesLeftBehind({ roomId: oldRoomId });
   */
  readonly invitesLeftBehind: (
    command: { readonly roomId: string },
    options?: FlowOptions,
  ) => FlowResult<readonly ListedInvite[]>;

  /**
   * Ends the invites of a room that nobody has redeemed in a time: their events are emptied, and ours are noted as expired;
   * a proof that comes later finds no key. Acts as `cleanUpInvites` does, and reports what it may not empty: how old
   * another server's invite is, that server says.
   *
   * @example
   * await invites.expireInvites({ roomId, olderThanMs: 30 * 24 * 3_600_000 });
   */
  readonly expireInvites: (command: ExpireInvitesCommand, options?: FlowOptions) => FlowResult<Tidied>;

  /**
   * Empties the events of invites that are over and pending all the same: of one that was redeemed, once its user has
   * joined or left; of an earlier token that a resend has replaced; of an invite that was revoked or has expired while its
   * append was under way. Only of this server's own invites, in the name of their sender if that user is joined and may
   * invite; the others are reported. For the host's scheduler; a second call does nothing more.
   *
   * @example
   * const tidied = await invites.cleanUpInvites({ roomId }); // right({ emptied: ["…"], advisory: [] })
   */
  readonly cleanUpInvites: (
    command: { readonly roomId: string },
    options?: FlowOptions,
  ) => FlowResult<Tidied>;

  /**
   * Notes that an invite of ours was redeemed by an event that another server made. For each `m.room.member` that came into
   * a room of ours and was accepted; of any other event, and of invites that are not ours, it answers `false` and notes
   * nothing. What was redeemed here is noted by itself.
   *
   * @example
   * if (accepted) await invites.noteRedeemed({ roomId, event });
   */
  readonly noteRedeemed: (command: NoteRedeemedCommand, options?: FlowOptions) => FlowResult<boolean>;
}

/** The name of a method of {@link ThirdPartyInvites}. */
export type FlowName = keyof ThirdPartyInvites;
