import { type EventLike, contentOf, isEvent } from "./event.js";
import { stringMember } from "./json.js";
import type { RoomVersion } from "./room-version.js";

/**
 * The state of one room at one point, as a synchronous view. `get` answers with the event at a place, or
 * `undefined`; what the rules do not ask for need not be there.
 */
export interface RoomState {
  readonly roomId: string;
  readonly version: RoomVersion;
  readonly get: (type: string, stateKey: string) => EventLike | undefined;
}

/**
 * A view of state events in a list. Of two events in one place the later counts; events without a `state_key`
 * are no state.
 *
 * @example
 * const state = roomState("!room:example.org", roomVersion("10")!, events);
 * state.get("m.room.create", "");
 */
export const roomState = (roomId: string, version: RoomVersion, events: Iterable<EventLike>): RoomState => {
  const places = new Map<unknown, Map<unknown, EventLike>>();
  for (const event of events) {
    if (!isEvent(event) || typeof event.type !== "string" || typeof event.state_key !== "string") continue;
    const ofType = places.get(event.type) ?? new Map<unknown, EventLike>();
    ofType.set(event.state_key, event);
    places.set(event.type, ofType);
  }
  return { roomId, version, get: (type, stateKey) => places.get(type)?.get(stateKey) };
};

const isAt = (claimed: unknown, name: string): boolean => claimed === undefined || claimed === name;

/**
 * The event at a place. What a host's view answers there beside events (`null`, say) is none, and neither is an event that says itself
 * that it stands elsewhere: a view over a map with keys such as `type:state_key` gives two places one name.
 */
export const stateEvent = (state: RoomState, type: string, stateKey = ""): EventLike | undefined => {
  const event: unknown = state.get(type, stateKey);
  return isEvent(event) && isAt(event.type, type) && isAt(event.state_key, stateKey) ? event : undefined;
};

/**
 * Where a user stands to a room. A member event without a readable membership counts as none, and so does whatever stands under the
 * empty ID, which is nobody's.
 *
 * A member event has one of these five: https://spec.matrix.org/v1.19/client-server-api/#mroommember
 */
export type Membership = "join" | "invite" | "knock" | "leave" | "ban";

export const membershipOf = (state: RoomState, userId: string): Membership => {
  if (userId === "") return "leave";
  const membership = stringMember(contentOf(stateEvent(state, "m.room.member", userId)), "membership");
  switch (membership) {
    case "join":
    case "invite":
    case "knock":
    case "ban":
      return membership;
    default:
      return "leave";
  }
};
