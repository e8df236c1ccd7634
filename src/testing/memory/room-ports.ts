import { isLeft } from "fp-ts/lib/Either.js";
import type { EventLike, StateEntry } from "../../matrix/event.js";
import type { RoomId } from "../../matrix/ids.js";
import type { SignedPdu } from "../../matrix/pdu.js";
import { roomState } from "../../matrix/room-state.js";
import type { Events, Rooms } from "../../ports.js";
import type { RoomStore } from "./room-store.js";

/** What stops an append, as the `events` port answers it. */
export type AppendRefused = Extract<Awaited<ReturnType<Events["append"]>>, { _tag: "Refused" }>;

/** Go on, with these events in place of the given ones: the same, with another server's signature on them. */
export interface Go {
  readonly _tag: "Go";
  readonly pdus?: readonly SignedPdu[];
}

/** Where a homeserver does its part of an append. */
export interface AppendHooks {
  /** Asked by the port before it stores: where the invitee's server signs, or refuses. */
  readonly beforeAppend?: (pdus: readonly SignedPdu[], roomId: RoomId) => Promise<Go | AppendRefused>;
  /** Told by the port once it has stored: where the events go out to the room's servers. */
  readonly afterAppend?: (pdus: readonly SignedPdu[], roomId: RoomId) => Promise<void>;
}

const badJson = (message: string): AppendRefused => ({
  _tag: "Refused",
  status: 400,
  errcode: "M_BAD_JSON",
  message,
});

/** The `rooms` port over a store. A snapshot has only the entries that were asked for, whatever else there is. */
export const storedRooms = (store: RoomStore): Rooms => ({
  snapshot: (roomId, entries) => {
    const log = store.logs.get(roomId);
    if (log === undefined) return Promise.resolve({ _tag: "NotResident" });
    const asked = entries.flatMap((place): EventLike[] => {
      const event = log.at(place);
      return event === undefined ? [] : [event.pdu];
    });
    return Promise.resolve({
      _tag: "Snapshot",
      roomVersion: log.version.id,
      revision: String(store.revision()),
      get: roomState(roomId, log.version, asked).get,
    });
  },
  tokens: (roomId) => {
    const log = store.logs.get(roomId);
    return Promise.resolve(
      log === undefined
        ? { _tag: "NotResident" }
        : { _tag: "Tokens", tokens: log.stateKeys("m.room.third_party_invite") },
    );
  },
});

/** The `events` port over a store. A room that was left is a conflict: the next snapshot tells. */
export const storedEvents = (store: RoomStore, hooks: AppendHooks): Events => ({
  append: async ({ roomId, revision, reads, events }) => {
    const log = store.logs.get(roomId);
    if (log === undefined) return { _tag: "Conflict" };
    const unchanged = (place: StateEntry): boolean => log.changedAt(place) <= Number(revision);
    const isConflict = (): boolean => store.logs.get(roomId) !== log || !reads.every(unchanged);

    if (isConflict()) return { _tag: "Conflict" };
    if (events.some((event) => event.room_id !== roomId)) return badJson("An event is of another room.");
    const made = store.complete(log, events);
    if (isLeft(made)) return badJson(`An event cannot be signed: ${made.left._tag}.`);

    const answer = (await hooks.beforeAppend?.(made.right, roomId)) ?? { _tag: "Go" };
    if (answer._tag === "Refused") return answer;
    // The room may have changed while another server was asked.
    if (isConflict()) return { _tag: "Conflict" };
    const pdus = answer.pdus ?? made.right;
    store.add(log, pdus);
    await hooks.afterAppend?.(pdus, roomId);
    return { _tag: "Appended", eventIds: pdus.map(({ eventId }) => eventId) };
  },
});
