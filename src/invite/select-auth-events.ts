import { type EventLike, type StateEntry, contentOf, entry, isEvent } from "../matrix/event.js";
import { hasMember, member, stringMember } from "../matrix/json.js";
import type { RoomVersion } from "../matrix/room-version.js";

/** What a new event may name in `auth_events`. */
const withJoinRules: ReadonlySet<string | undefined> = new Set(["join", "invite", "knock"]);

/**
 * The places in the room's state that an event of any type must name in its `auth_events`, if an event stands there.
 * The order is of no importance; no place comes twice.
 *
 * An event names the state that gives it permission: https://spec.matrix.org/v1.19/server-server-api/#auth-events-selection
 *
 * @example
 * selectAuthEvents(template, roomVersion("12")!);
 * // [{ type: "m.room.power_levels", stateKey: "" }, { type: "m.room.member", stateKey: "@alice:example.org" }, …]
 */
export const selectAuthEvents = (event: EventLike, version: RoomVersion): readonly StateEntry[] => {
  if (!isEvent(event) || event.type === "m.room.create") return [];
  const content = contentOf(event);
  const entries: StateEntry[] = [];
  const add = (type: string, stateKey: unknown = ""): void => {
    if (typeof stateKey !== "string") return;
    if (!entries.some((known) => known.type === type && known.stateKey === stateKey))
      entries.push(entry(type, stateKey));
  };

  // From version 12 on the room ID names the create event, and it must not be selected.
  if (!version.roomIdIsCreateEvent) add("m.room.create");
  add("m.room.power_levels");
  add("m.room.member", event.sender);
  if (event.type !== "m.room.member") return entries;

  const membership = stringMember(content, "membership");
  add("m.room.member", event.state_key);
  if (withJoinRules.has(membership)) add("m.room.join_rules");
  if (membership === "invite" && hasMember(content, "third_party_invite"))
    add(
      "m.room.third_party_invite",
      member(member(member(content, "third_party_invite"), "signed"), "token") ?? null,
    );
  if (membership === "join" && version.restrictedJoins)
    add("m.room.member", member(content, "join_authorised_via_users_server") ?? null);
  return entries;
};
