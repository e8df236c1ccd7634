import { type Either, right } from "fp-ts/lib/Either.js";
import { type EventLike, isEvent } from "../matrix/event.js";
import type { RoomVersion } from "../matrix/room-version.js";
import { type Refusal, refuse } from "../refusal.js";
import { selectAuthEvents } from "./select-auth-events.js";

/** An event that another names in `auth_events`, as the host has it. */
export interface NamedAuthEvent {
  readonly event: EventLike;
  /** Whether the host rejected it when it came. */
  readonly rejected: boolean;
}

/** An unambiguous name of a place in the state; an event without one has no say over anything. */
const placeOf = ({ type, state_key: stateKey }: EventLike): string | undefined =>
  typeof type === "string" && typeof stateKey === "string" ? JSON.stringify([type, stateKey]) : undefined;

/**
 * Checks the `auth_events` of a received event of any type but `m.room.create`: no place twice, none
 * that the selection does not have, none rejected, the create event among them (not from version 12 on), all of the
 * same room.
 *
 * An event that names other state in `auth_events` is rejected: https://spec.matrix.org/v1.19/server-server-api/#auth-events-selection
 *
 * @example
 * checkAuthEvents(pdu, named, version); // left({ code: "AuthEventUnexpected", rule: "2.2", … })
 */
export const checkAuthEvents = (
  event: EventLike,
  named: readonly NamedAuthEvent[],
  version: RoomVersion,
): Either<Refusal, void> => {
  const rule = version.rules.authEvents;
  if (![event, ...named.map((auth) => auth.event)].every(isEvent))
    return refuse("AuthEventUnexpected", { rule: `${rule}.2` });
  const selected = new Set(
    selectAuthEvents(event, version).map(({ type, stateKey }) => placeOf({ type, state_key: stateKey })),
  );
  const seen = new Set<string | undefined>();
  for (const { event: auth } of named) {
    const place = placeOf(auth);

    // If there are duplicate entries for a given type and state_key pair, reject.
    if (seen.has(place)) return refuse("AuthEventTwice", { rule: `${rule}.1` });
    seen.add(place);

    // If there are entries whose type and state_key do not match those of the selection algorithm, reject.
    if (!selected.has(place)) return refuse("AuthEventUnexpected", { rule: `${rule}.2` });
  }

  // If there are entries which were themselves rejected, reject.
  if (named.some(({ rejected }) => rejected)) return refuse("AuthEventRejected", { rule: `${rule}.3` });

  // Before version 12: if there is no m.room.create event among the entries, reject.
  if (!version.roomIdIsCreateEvent && !seen.has(placeOf({ type: "m.room.create", state_key: "" })))
    return refuse("NoCreateEvent", { rule: `${rule}.4` });

  // If any event in auth_events has a room_id which does not match that of the event, reject.
  if (named.some(({ event: auth }) => auth.room_id !== event.room_id))
    return refuse("WrongRoom", { rule: `${rule}.5` });
  return right(undefined);
};
