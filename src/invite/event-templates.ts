import type { EventTemplate } from "../matrix/event.js";
import type { UserId } from "../matrix/ids.js";
import type { JsonObject } from "../matrix/json.js";
import type { RoomState } from "../matrix/room-state.js";

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

/** The details as they stand in a member event. */
export const detailsContent = ({ isDirect, reason }: InviteDetails): JsonObject => ({
  ...(isDirect === true ? { is_direct: true } : {}),
  ...(reason === undefined ? {} : { reason }),
});

export const profileContent = ({ displayname, avatarUrl }: Profile): JsonObject => ({
  ...(displayname === undefined ? {} : { displayname }),
  ...(avatarUrl === undefined ? {} : { avatar_url: avatarUrl }),
});

/** The invite of a user: `content` beside its membership. */
export const inviteEvent = (
  state: RoomState,
  sender: string,
  userId: UserId,
  content: JsonObject,
): EventTemplate => ({
  type: "m.room.member",
  room_id: state.roomId,
  sender,
  state_key: userId,
  content: { membership: "invite", ...content },
});

export const thirdPartyInviteEvent = (
  state: RoomState,
  sender: UserId,
  token: string,
  content: JsonObject,
): EventTemplate => ({
  type: "m.room.third_party_invite",
  room_id: state.roomId,
  sender,
  state_key: token,
  content,
});

/** The event that empties a third-party invite: whoever redeems it later finds no key. */
export const emptied = (state: RoomState, sender: UserId, token: string): EventTemplate =>
  thirdPartyInviteEvent(state, sender, token, {});
