import { type Either, isLeft } from "fp-ts/lib/Either.js";
import type { CryptoEngine, SigningKey } from "../../matrix/crypto-engine.js";
import { type RoomId, parseRoomId } from "../../matrix/ids.js";
import type { JsonObject } from "../../matrix/json.js";
import { type SignedPdu, eventId, roomIdOfCreate } from "../../matrix/pdu.js";
import { type RoomState, roomState } from "../../matrix/room-state.js";
import { type RoomVersion, roomVersion } from "../../matrix/room-version.js";
import type { Events, Rooms } from "../../ports.js";
import { type NewRoom, createEvent, foundingEvents } from "./founding.js";
import { type RoomLog, roomLog } from "./room-log.js";
import { type AppendHooks, storedEvents, storedRooms } from "./room-ports.js";
import { type RoomStore, type Signer, roomStore } from "./room-store.js";

export interface MemoryRoomsOptions extends AppendHooks {
  readonly crypto: CryptoEngine;
  readonly serverName: string;
  readonly key: SigningKey;
  /** Milliseconds since 1970; the time of day unless given. */
  readonly now?: () => number;
}

/** An event that a test puts into a room, by anybody; no rule is asked. Without a `state_key` it is no state. */
export interface AnyEvent {
  readonly type: string;
  readonly sender: string;
  readonly state_key?: string;
  readonly content: JsonObject;
}

/**
 * The rooms of one server: the two ports, and helpers for tests. The helpers call no hook, and throw where a test
 * asks for a room that this server is not in.
 */
export interface MemoryRooms {
  readonly rooms: Rooms;
  readonly events: Events;
  /** Makes a room, with its create event, its creator's join, power levels and join rules. */
  readonly create: (room: NewRoom) => RoomId;
  /** Puts any event into the room, signed by this server or by another one. */
  readonly append: (roomId: string, event: AnyEvent, signer?: Signer) => SignedPdu;
  /** Takes an event from another server into the room as it is; one that is known already changes nothing. */
  readonly receive: (roomId: string, pdu: JsonObject) => SignedPdu;
  /** Takes over a room from its events, oldest first. What this server had of it is forgotten. */
  readonly load: (roomId: string, version: string, pdus: readonly JsonObject[]) => void;
  /** This server is no longer in the room, and forgets it. */
  readonly leave: (roomId: string) => void;
  /** The state as it is now; later events do not show in it. */
  readonly state: (roomId: string) => RoomState;
  readonly stateEvents: (roomId: string) => readonly SignedPdu[];
  /** All events of the room, in the order in which they came. */
  readonly timeline: (roomId: string) => readonly SignedPdu[];
}

const orThrow = <A>(made: Either<{ readonly _tag: string }, A>, what: string): A => {
  if (isLeft(made)) throw new Error(`${what}: ${made.left._tag}`);
  return made.right;
};

const knownVersion = (id: string): RoomVersion => {
  const version = roomVersion(id);
  if (version === undefined) throw new Error(`There is no room version ${id}.`);
  return version;
};

type By = Parameters<RoomStore["complete"]>[2];

/**
 * The `rooms` and `events` ports in memory, with real signed events of any room version. It is a store, not a
 * judge: it appends what it is given.
 *
 * @example
 * const memory = memoryRooms({ crypto: nodeCrypto, serverName: "example.org", key });
 * const roomId = memory.create({ version: "12", creator: "@alice:example.org" });
 * const snapshot = await memory.rooms.snapshot(roomId, [{ type: "m.room.create", stateKey: "" }], {});
 */
export const memoryRooms = (options: MemoryRoomsOptions): MemoryRooms => {
  const { crypto, serverName, key, now = Date.now } = options;
  const store = roomStore({ serverName, key }, now);
  let roomsMade = 0;

  const logOf = (roomId: string): RoomLog => {
    const log = store.logs.get(roomId);
    if (log === undefined) throw new Error(`${serverName} is not in the room ${roomId}.`);
    return log;
  };

  const identified = (pdu: JsonObject, version: RoomVersion): SignedPdu => ({
    eventId: orThrow(eventId(crypto, pdu, version), "This event has no ID"),
    pdu,
  });

  const append = (log: RoomLog, event: JsonObject, by?: By): SignedPdu => {
    const [made] = orThrow(store.complete(log, [event], by), "This event cannot be signed");
    if (made === undefined) throw new Error("No event was made.");
    store.add(log, [made]);
    return made;
  };

  return {
    rooms: storedRooms(store),
    events: storedEvents(store, options),
    create: (room) => {
      const version = knownVersion(room.version);
      if (version.roomIdIsCreateEvent && room.roomId !== undefined)
        throw new Error("From room version 12 on the create event gives the room its ID: leave roomId out.");
      // A later time for each room: of version 12, two create events that are alike would be one room.
      const time = now() + roomsMade;
      roomsMade += 1;
      const ofRoom = version.roomIdIsCreateEvent
        ? {}
        : { room_id: room.roomId ?? `!${roomsMade}:${serverName}` };
      const log = roomLog(crypto, version);
      const create = append(log, { ...createEvent(room, version), ...ofRoom }, { time });
      const named = orThrow(roomIdOfCreate(crypto, create.pdu, version), "The room has no ID");
      const roomId = orThrow(parseRoomId(named), `${named} is no room ID`);
      if (store.logs.has(roomId)) throw new Error(`There is a room ${roomId} already.`);
      store.logs.set(roomId, log);
      for (const event of foundingEvents(room, version)) append(log, { ...event, room_id: roomId });
      return roomId;
    },
    append: (roomId, event, signer) => append(logOf(roomId), { ...event, room_id: roomId }, { signer }),
    receive: (roomId, pdu) => {
      const log = logOf(roomId);
      const event = identified(pdu, log.version);
      store.add(log, [event]);
      return event;
    },
    load: (roomId, version, pdus) => {
      const log = roomLog(crypto, knownVersion(version));
      const events = pdus.map((pdu) => identified(pdu, log.version));
      store.add(log, events);
      store.logs.set(roomId, log);
    },
    leave: (roomId) => {
      store.logs.delete(roomId);
    },
    state: (roomId) => {
      const log = logOf(roomId);
      const events = log.state().map(({ pdu }) => pdu);
      return roomState(roomId, log.version, events);
    },
    stateEvents: (roomId) => logOf(roomId).state(),
    timeline: (roomId) => logOf(roomId).timeline(),
  };
};
