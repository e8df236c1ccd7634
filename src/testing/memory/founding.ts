import type { JsonObject } from "../../matrix/json.js";
import type { RoomVersion } from "../../matrix/room-version.js";

/** A room to be made. */
export interface NewRoom {
  /** A room version that the library knows: `"1"` to `"12"`. */
  readonly version: string;
  readonly creator: string;
  /** For versions before 12 only; from then on the create event names the room. */
  readonly roomId?: string;
  /** `false` keeps other servers out for ever. */
  readonly federate?: boolean;
  /** More of the create event's content: `type`, `additional_creators`, … */
  readonly createContent?: JsonObject;
  /** More of the power levels' content; `users` takes the place of the creator's 100. */
  readonly powerLevels?: JsonObject;
  /** `invite` unless given. */
  readonly joinRule?: string;
}

/** The first event of a room, without its ID. */
export const createEvent = (
  { creator, federate, createContent }: NewRoom,
  version: RoomVersion,
): JsonObject => ({
  type: "m.room.create",
  sender: creator,
  state_key: "",
  content: {
    room_version: version.id,
    ...(version.creators === "content.creator" ? { creator } : {}),
    ...(federate === undefined ? {} : { "m.federate": federate }),
    ...createContent,
  },
});

/** What follows the create event, in this order: the creator's join, the power levels, the join rules. */
export const foundingEvents = (
  { creator, powerLevels, joinRule = "invite" }: NewRoom,
  version: RoomVersion,
): readonly JsonObject[] => {
  // From version 12 on the creators' power is infinite, and the power levels must not name them.
  const users = version.creators === "sender and additional" ? {} : { [creator]: 100 };
  return [
    { type: "m.room.member", state_key: creator, content: { membership: "join" } },
    { type: "m.room.power_levels", state_key: "", content: { users, ...powerLevels } },
    { type: "m.room.join_rules", state_key: "", content: { join_rule: joinRule } },
  ].map((event) => ({ ...event, sender: creator }));
};
