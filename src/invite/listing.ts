import { contentOf } from "../matrix/event.js";
import type { ServerName, UserId } from "../matrix/ids.js";
import { stringMember } from "../matrix/json.js";
import type { RoomState } from "../matrix/room-state.js";
import type { Threepid } from "../threepid/threepid.js";
import { type InviteLife, type InviteRecord, redeemerOf, sinceOf } from "./invite-life.js";
import { type RoomInvite, roomInvites, askedSince } from "./room-invite.js";

/** One invite by third-party identifier, as it is shown to somebody. */
export interface ListedInvite {
  /** Where it is in its life; of an invite that stands in the room, `Pending` or `Redeemed`. */
  readonly state: InviteLife["_tag"];
  readonly sender: string;
  /** The `state_key` of its event, where the room has one: what `revokeInvite` takes. */
  readonly token?: string;
  /** The identity server's obfuscated form of the address. */
  readonly displayName?: string;
  /** When it was asked for, in milliseconds since 1970; of another server's invite, what that server says. */
  readonly since?: number;
  readonly idServer?: ServerName;
  readonly redeemedBy?: UserId;
  /** Only for its inviter, and only where the host stores addresses. */
  readonly threepid?: Threepid;
}

/** Who looks: a member, who sees what the room shows and all of their own; or the host itself, who sees no address. */
export type Viewer = UserId | "host";

const redeemedBy = (life: InviteLife) => {
  const by = redeemerOf(life);
  return by === undefined ? {} : { redeemedBy: by };
};

const stored = (record: InviteRecord, viewer: Viewer) => ({
  idServer: record.idServer,
  ...redeemedBy(record.life),
  ...(record.threepid !== undefined && record.sender === viewer ? { threepid: record.threepid } : {}),
});

const listPending = (invite: RoomInvite, viewer: Viewer): ListedInvite => {
  const displayName = stringMember(contentOf(invite.event), "display_name");
  const since = askedSince(invite);
  return {
    // The room has the last word: what is noted as ended and stands all the same can be redeemed.
    state:
      invite.record !== undefined && redeemerOf(invite.record.life) !== undefined ? "Redeemed" : "Pending",
    sender: invite.sender,
    token: invite.token,
    ...(displayName === undefined ? {} : { displayName }),
    ...(since === undefined ? {} : { since }),
    ...(invite.record === undefined ? {} : stored(invite.record, viewer)),
  };
};

const listStored = (record: InviteRecord, viewer: Viewer): ListedInvite => ({
  // Its event is not there, or empty: somebody has revoked it past us.
  state: record.life._tag === "Pending" ? "Revoked" : record.life._tag,
  sender: record.sender,
  since: sinceOf(record),
  ...stored(record, viewer),
});

/**
 * The third-party invites of a room: those that stand in it, and those that only this server's storage knows of (on
 * their way, or ended), which are nobody's business but their inviter's and the host's.
 */
export const listing = (
  state: RoomState,
  tokens: readonly string[],
  records: readonly InviteRecord[],
  viewer: Viewer,
): readonly ListedInvite[] => {
  const pending = roomInvites(state, tokens, records);
  const inRoom = new Set(pending.map(({ record }) => record));
  const others = records.filter(
    (record) => (viewer === "host" || viewer === record.sender) && !inRoom.has(record),
  );
  return [
    ...pending.map((invite) => listPending(invite, viewer)),
    ...others.map((record) => listStored(record, viewer)),
  ];
};
