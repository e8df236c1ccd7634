import type { EventLike } from "matrix-third-party-invites";
import { type RoomState, type RoomVersion, membershipOf } from "matrix-third-party-invites/judge";
import type { JsonObject, RoomId, Snapshot, StateEntry } from "matrix-third-party-invites/ports";

/** A state event, with as much around it as the model of federation needs. */
export interface RoomEvent extends EventLike {
  readonly event_id: string;
  readonly room_id: RoomId;
  readonly type: string;
  readonly sender: string;
  readonly state_key: string;
  readonly content: JsonObject;
  /** The server that made it, and its number among that server's events of the room. */
  readonly origin: string;
  readonly number: number;
  readonly depth: number;
  readonly origin_server_ts: number;
  /** How much of each server's events its maker had: nobody takes it before they have those. */
  readonly seen: ReadonlyMap<string, number>;
  /** The state events that it names as allowing it. */
  readonly authEvents: readonly RoomEvent[];
}

/** A room as a whole: who made what. No server sees it. */
export interface Room {
  readonly id: RoomId;
  readonly version: RoomVersion;
  readonly history: Map<string, RoomEvent[]>;
}

const nameOf = (type: string, stateKey: string): string => `${type}\n${stateKey}`;

/** Of two events in one place the deeper stands, of equals the one with the greater ID. */
const stands = (one: RoomEvent, against: RoomEvent | undefined): boolean =>
  against === undefined ||
  one.depth > against.depth ||
  (one.depth === against.depth && one.event_id > against.event_id);

/** What one server has of a room. */
export class Replica {
  revision = 0;
  depth = 0;
  readonly have = new Map<string, number>();
  /** Tokens whose event was once seen without keys, users once seen banned, users once seen in the room. */
  readonly everEmptied = new Set<string>();
  readonly everBanned = new Set<string>();
  readonly everJoined = new Set<string>();
  /** When each third-party invite came here. */
  readonly tokenSince = new Map<string, number>();
  private readonly places = new Map<string, { readonly event: RoomEvent; readonly changedAt: number }>();

  readonly room: Room;

  constructor(room: Room) {
    this.room = room;
  }

  get(type: string, stateKey = ""): RoomEvent | undefined {
    return this.places.get(nameOf(type, stateKey))?.event;
  }

  state(): RoomState {
    return {
      roomId: this.room.id,
      version: this.room.version,
      get: (type, stateKey) => this.get(type, stateKey),
    };
  }

  /** The entries that were asked for, as they are now. Reading another one is a fault of the library. */
  snapshot(entries: readonly StateEntry[]): Snapshot {
    const copy = new Map(
      entries.map(({ type, stateKey }) => [nameOf(type, stateKey), this.get(type, stateKey)]),
    );
    return {
      _tag: "Snapshot",
      roomVersion: this.room.version.id,
      revision: String(this.revision),
      get: (type, stateKey) => {
        if (!copy.has(nameOf(type, stateKey))) throw new Error(`${type} was not asked for.`);
        return copy.get(nameOf(type, stateKey));
      },
    };
  }

  hasChanged(reads: readonly StateEntry[], since: number): boolean {
    return reads.some(
      ({ type, stateKey }) => (this.places.get(nameOf(type, stateKey))?.changedAt ?? 0) > since,
    );
  }

  hasMembersOf(server: string): boolean {
    const state = this.state();
    for (const { event } of this.places.values())
      if (
        event.type === "m.room.member" &&
        event.state_key.endsWith(`:${server}`) &&
        membershipOf(state, event.state_key) === "join"
      )
        return true;
    return false;
  }

  joinedUsers(): readonly string[] {
    const state = this.state();
    return [...this.places.values()]
      .filter(
        ({ event }) => event.type === "m.room.member" && membershipOf(state, event.state_key) === "join",
      )
      .map(({ event }) => event.state_key);
  }

  tokens(): readonly string[] {
    return [...this.places.values()]
      .filter(({ event }) => event.type === "m.room.third_party_invite")
      .map(({ event }) => event.state_key);
  }

  /** Whether all is here that the event's maker had. */
  isReadyFor(event: RoomEvent): boolean {
    if ((this.have.get(event.origin) ?? 0) !== event.number - 1) return false;
    for (const [origin, count] of event.seen)
      if (origin !== event.origin && (this.have.get(origin) ?? 0) < count) return false;
    return true;
  }

  add(event: RoomEvent, now: number): void {
    this.have.set(event.origin, event.number);
    this.depth = Math.max(this.depth, event.depth);
    this.remember(event, now);
    if (!stands(event, this.get(event.type, event.state_key))) return;
    this.revision += 1;
    this.places.set(nameOf(event.type, event.state_key), { event, changedAt: this.revision });
  }

  private remember(event: RoomEvent, now: number): void {
    if (event.type === "m.room.third_party_invite") {
      if (event.content["public_keys"] === undefined) this.everEmptied.add(event.state_key);
      if (!this.tokenSince.has(event.state_key)) this.tokenSince.set(event.state_key, now);
    }
    if (event.type !== "m.room.member") return;
    if (event.content["membership"] === "ban") this.everBanned.add(event.state_key);
    if (event.content["membership"] === "join") this.everJoined.add(event.state_key);
  }
}
