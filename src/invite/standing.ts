import type { EventLike } from "../matrix/event.js";
import { type RoomState, stateEvent } from "../matrix/room-state.js";
import { type InviteRecord, sinceOf, tokensOf } from "./life.js";
import { isAlive } from "./revoke.js";

/** A third-party invite that stands in a room: its event, and what this server has stored of it if it is one of ours. */
export interface StandingInvite {
  readonly token: string;
  readonly event: EventLike;
  readonly sender: string;
  readonly record: InviteRecord | undefined;
}

/** A token by who sent it: somebody else may send an event under it, too. */
export const sentName = (sender: string, token: string): string => `${sender} ${token}`;

/** The invites of a room that have not been emptied, in the order of `tokens`. */
export const standingInvites = (
  state: RoomState,
  tokens: readonly string[],
  records: readonly InviteRecord[],
): readonly StandingInvite[] => {
  const byPlace = new Map(
    records.flatMap((record) =>
      tokensOf(record.life).map((token) => [sentName(record.sender, token), record] as const),
    ),
  );
  return tokens.flatMap((token): readonly StandingInvite[] => {
    const event = stateEvent(state, "m.room.third_party_invite", token);
    if (event === undefined || !isAlive(state, token) || typeof event.sender !== "string") return [];
    const { sender } = event;
    // Whoever sends another event under a token has taken the invite over: it is no longer its maker's.
    return [{ token, event, sender, record: byPlace.get(sentName(sender, token)) }];
  });
};

/** When an invite was asked for, in milliseconds since 1970; of those that are not ours, what their server says. */
export const standsSince = ({ event, record }: StandingInvite): number | undefined => {
  if (record !== undefined) return sinceOf(record);
  return typeof event.origin_server_ts === "number" ? event.origin_server_ts : undefined;
};
