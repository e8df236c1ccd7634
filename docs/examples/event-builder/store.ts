import type { SignedPdu } from "matrix-third-party-invites/matrix";
import type { JsonObject } from "matrix-third-party-invites/ports";
import type { Room, Store } from "./rooms.js";

export interface MemoryStore extends Store {
  readonly create: (roomId: string, version: string) => void;
  readonly leave: (roomId: string) => Promise<void>;
}

interface StoredRoom {
  readonly version: string;
  readonly texts: Map<string, string>;
  /** By type and state key: the event, and the position at which it came into the state. */
  readonly places: Map<string, { readonly eventId: string; readonly changedAt: number }>;
  heads: readonly string[];
}

const placeOf = (type: string, stateKey: string): string => JSON.stringify([type, stateKey]);

/**
 * In place of your database: events as text, the state of each room with the position at which each of its entries last
 * changed, and transactions, one at a time in each room.
 */
export const openStore = (): MemoryStore => {
  const rooms = new Map<string, StoredRoom>();
  const lastTurn = new Map<string, Promise<unknown>>();
  let position = 0;

  const roomOf = (roomId: string): Room | undefined => {
    const room = rooms.get(roomId);
    if (room === undefined) return undefined;
    const { version, texts, heads } = room;
    const places = new Map(room.places); // later events do not show
    const event = (eventId: string): SignedPdu | undefined => {
      const text = texts.get(eventId);
      return text === undefined ? undefined : { eventId, pdu: JSON.parse(text) as JsonObject };
    };
    return {
      version,
      position,
      event,
      heads: heads.flatMap((eventId) => event(eventId) ?? []),
      at: (type, stateKey) => {
        const place = places.get(placeOf(type, stateKey));
        const found = place && event(place.eventId);
        return found && { ...found, changedAt: place.changedAt };
      },
      stateKeys: (type) =>
        [...places.keys()]
          .map((place) => JSON.parse(place) as [string, string])
          .flatMap(([of, key]) => (of === type ? [key] : [])),
    };
  };

  const write = (roomId: string, { eventId, pdu }: SignedPdu): void => {
    const room = rooms.get(roomId);
    if (room === undefined) throw new Error("This server is not in the room.");
    const { type, state_key: stateKey, prev_events: previous } = pdu;
    position += 1;
    room.texts.set(eventId, JSON.stringify(pdu));
    room.heads = [
      ...room.heads.filter((head) => !(Array.isArray(previous) && previous.includes(head))),
      eventId,
    ];
    if (typeof type === "string" && typeof stateKey === "string")
      room.places.set(placeOf(type, stateKey), { eventId, changedAt: position });
  };

  return {
    room: (roomId) => Promise.resolve(roomOf(roomId)),
    create: (roomId, version) => {
      rooms.set(roomId, { version, texts: new Map(), places: new Map(), heads: [] });
    },
    leave: (roomId) => {
      rooms.delete(roomId);
      return Promise.resolve();
    },
    transaction: (roomId, work) => {
      const turn = (lastTurn.get(roomId) ?? Promise.resolve()).then(() => {
        const events: SignedPdu[] = [];
        const result = work(roomOf(roomId), (event) => events.push(event));
        for (const event of events) write(roomId, event);
        return result;
      });
      lastTurn.set(
        roomId,
        turn.catch(() => undefined),
      );
      return turn;
    },
  };
};
