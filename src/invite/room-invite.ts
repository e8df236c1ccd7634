import { type EventLike, contentOf } from "../matrix/event.js";
import { type RoomState, stateEvent } from "../matrix/room-state.js";
import { type InviteRecord, sinceOf, tokensOf } from "./invite-life.js";
import { isRevoked } from "./proof.js";

/** Whether the room has a token's event with a key that a proof could be held against. */
export const isPending = (state: RoomState, token: string): boolean => {
  const event = stateEvent(state, "m.room.third_party_invite", token);
  return event !== undefined && !isRevoked(contentOf(event));
};

/** A third-party invite that is pending in a room: its event, and what this server has stored of it if it is one of ours. */
export interface RoomInvite {
  readonly token: string;
  readonly event: EventLike;
  readonly sender: string;
  readonly record: InviteRecord | undefined;
}

/** A token by who sent it: somebody else may send an event under it, too. */
export const tokenOfSender = (sender: string, token: string): string => `${sender} ${token}`;

/** The invites of a room that have not been emptied, in the order of `tokens`. */
export const roomInvites = (
  state: RoomState,
  tokens: readonly string[],
  records: readonly InviteRecord[],
): readonly RoomInvite[] => {
  const byPlace = new Map(
    records.flatMap((record) =>
      tokensOf(record.life).map((token) => [tokenOfSender(record.sender, token), record] as const),
    ),
  );
  return tokens.flatMap((token): readonly RoomInvite[] => {
    const event = stateEvent(state, "m.room.third_party_invite", token);
    if (event === undefined || !isPending(state, token) || typeof event.sender !== "string") return [];
    const { sender } = event;
    // Whoever sends another event under a token has taken the invite over: it is no longer its maker's.
    return [{ token, event, sender, record: byPlace.get(tokenOfSender(sender, token)) }];
  });
};

/** When an invite was asked for, in milliseconds since 1970; of those that are not ours, what their server says. */
export const askedSince = ({ event, record }: RoomInvite): number | undefined => {
  if (record !== undefined) return sinceOf(record);
  return typeof event.origin_server_ts === "number" ? event.origin_server_ts : undefined;
};
