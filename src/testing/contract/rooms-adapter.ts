import type { SigningKey } from "../../matrix/crypto-engine.js";
import type { RoomId } from "../../matrix/ids.js";
import type { JsonObject } from "../../matrix/json.js";
import type { Events, Rooms } from "../../ports.js";

/** A room for a check, of any version. The identifiers may be plain texts: the kit reads them. */
export interface ContractRoom {
  readonly roomId: string;
  /** A user of this server, joined; their power suffices for every invite, every state event, and the power levels. */
  readonly ours: string;
  /** A user of another server, joined; their power suffices for every invite and every state event. */
  readonly theirs: string;
  /** An account of this server that is not in the room. */
  readonly invitee: string;
}

/** A state event that comes into a room past the ports: from another server, or from another part of this one. */
export interface RoomChange {
  readonly type: string;
  readonly sender: string;
  readonly state_key: string;
  readonly content: JsonObject;
}

/** The two ports over one host, and what the kit needs to do past them. */
export interface OpenRooms {
  readonly rooms: Rooms;
  readonly events: Events;
  /** Makes a new room. */
  readonly room: () => Promise<ContractRoom>;
  /** The event is in the room when this answers. Its sender has the power; no invite is asked for. */
  readonly change: (roomId: RoomId, event: RoomChange) => Promise<void>;
  /** The last user of this server leaves the room. */
  readonly leave: (roomId: RoomId) => Promise<void>;
  /** Called when a check is over. */
  readonly close?: () => Promise<void>;
}

/** What the kit needs of whoever checks an adapter. */
export interface RoomsAdapter<Own extends OpenRooms = OpenRooms> {
  /** A host of its own for each check; rooms that other checks have made do no harm. */
  readonly open: () => Promise<Own>;
  /**
   * One more process over the same rooms. The races are then run over several; without it they show only what one does
   * with calls that overlap.
   */
  readonly connect?: (own: Own) => Promise<OpenRooms>;
  /**
   * The same rooms as a process finds them that starts after this one has died, with whatever this one was doing. The old
   * one is neither used nor closed again. Without it, nothing is checked of what must outlive a process.
   */
  readonly reopen?: (own: Own) => Promise<OpenRooms>;
  /**
   * From now on this process writes to its storage `writes` times, and with the next one it dies: that write is not made,
   * and every call that waits or comes after it rejects. Asked before an append; `reopen` follows. With it the kit lets an
   * append die at each of its writes in turn; without it only where the process happens to be.
   */
  readonly dieAfter?: (own: Own, writes: number) => void;
  /** With it, hashes, IDs and signatures are checked. */
  readonly sent?: SentEvents<Own>;
}

/** The events of a host as it sends them to other servers. */
export interface SentEvents<Own extends OpenRooms = OpenRooms> {
  readonly serverName: string;
  readonly key: Pick<SigningKey, "keyId" | "publicKey">;
  /** A whole event by its ID; `undefined` if there is none. */
  readonly pdu: (own: Own, roomId: RoomId, eventId: string) => Promise<JsonObject | undefined>;
}
