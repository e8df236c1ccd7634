import type { SignedPdu } from "matrix-third-party-invites/matrix";
import type { EventLike, Rooms } from "matrix-third-party-invites/ports";

/** A room as it is at one moment. */
export interface Room {
  readonly version: string;
  /** Grows with each event. */
  readonly position: number;
  /** The events that no event follows yet. */
  readonly heads: readonly SignedPdu[];
  /** The state event of that type and state key, and the position at which it came into the state. */
  readonly at: (type: string, stateKey: string) => (SignedPdu & { readonly changedAt: number }) | undefined;
  /** The state keys of all state events of that type. */
  readonly stateKeys: (type: string) => readonly string[];
  readonly event: (eventId: string) => SignedPdu | undefined;
}

/** Your database, as these ports use it. */
export interface Store {
  readonly room: (roomId: string) => Promise<Room | undefined>;
  /** Runs `work`, and no other transaction of the room meanwhile. All that it writes is stored, or nothing. */
  readonly transaction: <Result>(
    roomId: string,
    work: (room: Room | undefined, write: (event: SignedPdu) => void) => Result,
  ) => Promise<Result>;
}

export const roomsPort = (store: Store): Rooms => ({
  snapshot: async (roomId, entries) => {
    const room = await store.room(roomId);
    if (room === undefined) return { _tag: "NotResident" };
    const events = new Map<string, EventLike | undefined>();
    for (const { type, stateKey } of entries)
      events.set(JSON.stringify([type, stateKey]), room.at(type, stateKey)?.pdu);
    return {
      _tag: "Snapshot",
      roomVersion: room.version,
      revision: String(room.position),
      get: (type, stateKey) => events.get(JSON.stringify([type, stateKey])),
    };
  },
  tokens: async (roomId) => {
    const room = await store.room(roomId);
    return room === undefined
      ? { _tag: "NotResident" }
      : { _tag: "Tokens", tokens: room.stateKeys("m.room.third_party_invite") };
  },
});
