/** Rooms of every version, honest ones, and ones whose every event of interest is hostile. */
import fc from "fast-check";
import type { EventLike } from "matrix-third-party-invites";
import { type RoomState, roomVersionIds } from "matrix-third-party-invites/judge";
import { type Room, alice, bob, room, token } from "../invite/room.js";
import { frozen } from "./intact.js";
import { inputs, mutated } from "./hostile.js";

/** The same value; a report writes it as this text, not with all that it holds. */
export const shownAs = <A extends object>(value: A, text: () => string): A => ({
  ...value,
  [fc.toStringMethod]: text,
});

/** Making a room hashes its create event, so it is done once. */
const honestRooms = roomVersionIds.flatMap((id) => [
  shownAs(room(id), () => `a room of version ${id}`),
  shownAs(room(id, { members: { [bob]: "invite" } }), () => `a room of version ${id} with Bob invited`),
]);

export const rooms: fc.Arbitrary<Room> = fc.constantFrom(...honestRooms);

/**
 * The promise that hostile values stand in for those that a type asks for: types end where other people's JSON begins.
 * The only cast of this directory that is not `unknown` narrowed.
 */
export const typed = <A>(values: fc.Arbitrary<unknown>): fc.Arbitrary<A> => values as fc.Arbitrary<A>;

const places: readonly (readonly [string, string])[] = [
  ["m.room.create", ""],
  ["m.room.power_levels", ""],
  ["m.room.member", alice],
  ["m.room.member", bob],
  ["m.room.third_party_invite", token],
];

const hostileEvent = (honest: EventLike | undefined): fc.Arbitrary<EventLike | undefined> =>
  typed(
    fc.oneof(
      { weight: 3, arbitrary: fc.constant(honest) },
      {
        weight: 3,
        arbitrary: mutated(honest?.content).map((content): unknown => ({ ...honest, content })),
      },
      { weight: 1, arbitrary: inputs(honest) },
      { weight: 1, arbitrary: fc.constantFrom<unknown>(undefined, null, "", 7, [], {}) },
    ),
  );

/** Built once for each honest room, since that is slow. */
const hostileStates = honestRooms.map((honest): fc.Arbitrary<Room> => {
  const { state } = honest;
  return fc.tuple(...places.map(([type, key]) => hostileEvent(state.get(type, key)))).map((chosen) => {
    const found = new Map(places.map(([type, key], at) => [`${type} ${key}`, chosen[at]]));
    frozen([...found.values()]);
    const get: RoomState["get"] = (type, key) => found.get(`${type} ${key}`);
    const told = (): string => `a room of version ${honest.version.id} with ${fc.stringify([...found])}`;
    return shownAs({ ...honest, state: { ...state, get } }, told);
  });
});

export const hostileRooms: fc.Arbitrary<Room> = fc.oneof(...hostileStates);

/** A room of either kind. */
export const anyRooms: fc.Arbitrary<Room> = fc.oneof(rooms, { weight: 2, arbitrary: hostileRooms });

const judged = honestRooms.map((made) =>
  fc.tuple(
    fc.constant(made),
    fc.oneof(inputs(made.redeemed()), inputs(made.thirdPartyInvite(alice)), inputs(made.invited(alice))),
  ),
);

/** An event to judge, hostile or near the honest ones, and the honest room that it says it is of. */
export const eventsOfRooms: fc.Arbitrary<readonly [Room, EventLike]> = typed(fc.oneof(...judged));
