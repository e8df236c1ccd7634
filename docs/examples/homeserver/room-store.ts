import { roomState, roomVersion } from "matrix-third-party-invites/judge";
import type { RoomState, RoomVersion } from "matrix-third-party-invites/judge";
import { type SignedPdu, domainOf } from "matrix-third-party-invites/matrix";
import type { SqlRow } from "matrix-third-party-invites/sqlite";
import type { JsonObject } from "matrix-third-party-invites/ports";
import type { Room, Store } from "../event-builder/rooms.js";
import { redactedBy } from "./auth-rules.js";
import type { Database } from "./database.js";
import { idsAt, parseJson, textAt, writeJson } from "./json.js";

/**
 * What this server made of an event. Soft-failed: allowed where it stands, but not by the state that the room has now, so
 * it is kept for the events that come after it and shown to nobody. Outlier: known without the state around it.
 */
export type Standing = "accepted" | "soft-failed" | "rejected" | "outlier";

export interface StoredEvent extends SignedPdu {
  readonly roomId: string;
  readonly standing: Standing;
  /** The state just after it: the ID of each event by its place. */
  readonly stateAfter: StateMap | undefined;
}

export type StateMap = ReadonlyMap<string, string>;

/** A place in the state, by one unambiguous text. */
const placeOf = (type: string, stateKey: string): string => JSON.stringify([type, stateKey]);

const maxHeads = 20;

/** Called in the transaction that stores an event. */
export interface StoreListener {
  readonly accepted: (roomId: string, event: SignedPdu) => void;
  /** An event of this server's own is for these servers. */
  readonly send: (servers: ReadonlySet<string>, event: SignedPdu) => void;
}

/** Rooms and events in the database. Everything but `room` and `transaction` is synchronous. */
export class RoomStore implements Store {
  readonly #database: Database;
  readonly #serverName: string;
  readonly #listener: StoreListener;

  constructor(database: Database, serverName: string, listener: StoreListener) {
    this.#database = database;
    this.#serverName = serverName;
    this.#listener = listener;
  }

  room(roomId: string): Promise<Room | undefined> {
    return Promise.resolve(this.#roomNow(roomId));
  }

  transaction<Result>(
    roomId: string,
    work: (room: Room | undefined, write: (event: SignedPdu) => void) => Result,
  ): Promise<Result> {
    return Promise.resolve(
      this.#database.transaction(() =>
        work(this.#roomNow(roomId), (event) => {
          const before = this.serversIn(roomId);
          this.add(roomId, event, "accepted");
          this.#listener.send(new Set([...before, ...this.serversIn(roomId)]), event);
        }),
      ),
    );
  }

  /** The room, if one of this server's users is in it. */
  #roomNow(roomId: string): Room | undefined {
    const version = this.version(roomId);
    return version === undefined || !this.isResident(roomId) ? undefined : this.roomAt(roomId, version);
  }

  roomAt(roomId: string, version: RoomVersion): Room {
    const places = new Map(this.#places(roomId).map(({ place, ...entry }) => [place, entry]));
    const [last] = this.#database.rows("SELECT max(position) AS position FROM event");
    const stateKeys = (type: string): readonly string[] =>
      [...places.keys()].flatMap((place) => {
        const [ofType, stateKey] = JSON.parse(place) as [string, string];
        return ofType === type ? [stateKey] : [];
      });
    return {
      version: version.id,
      position: Number(last?.["position"] ?? 0),
      heads: this.heads(roomId)
        .slice(-maxHeads)
        .flatMap((id) => this.find(id) ?? []),
      at: (type, stateKey) => {
        const entry = places.get(placeOf(type, stateKey));
        const event = entry && this.find(entry.eventId);
        return event && { eventId: event.eventId, pdu: event.pdu, changedAt: entry.changedAt };
      },
      stateKeys,
      event: (eventId) => this.find(eventId),
    };
  }

  #places(roomId: string): readonly { place: string; eventId: string; changedAt: number }[] {
    return this.#database.rows("SELECT * FROM state WHERE room_id = ?", roomId).map((row) => ({
      place: String(row["place"]),
      eventId: String(row["event_id"]),
      changedAt: Number(row["changed_at"]),
    }));
  }

  /** The version of a room that this server is in, or was in. */
  version(roomId: string): RoomVersion | undefined {
    const [row] = this.#database.rows("SELECT version FROM room WHERE room_id = ?", roomId);
    return row === undefined ? undefined : roomVersion(String(row["version"]));
  }

  isResident(roomId: string): boolean {
    return this.serversIn(roomId).has(this.#serverName);
  }

  rooms(): readonly string[] {
    return this.#database.rows("SELECT room_id FROM room").map((row) => String(row["room_id"]));
  }

  heads(roomId: string): readonly string[] {
    const [row] = this.#database.rows("SELECT heads FROM room WHERE room_id = ?", roomId);
    return row === undefined ? [] : (JSON.parse(String(row["heads"])) as string[]);
  }

  /** Begins a room, or begins it anew where this server has been in it. */
  begin(roomId: string, version: string): void {
    this.#database.rows(
      "INSERT OR REPLACE INTO room (room_id, version, heads) VALUES (?, ?, '[]')",
      roomId,
      version,
    );
  }

  #event(row: SqlRow): StoredEvent {
    const state = row["state_after"];
    return {
      eventId: String(row["event_id"]),
      roomId: String(row["room_id"]),
      pdu: parseJson(String(row["pdu"])) as JsonObject,
      standing: String(row["standing"]) as Standing,
      stateAfter: typeof state === "string" ? new Map(JSON.parse(state) as [string, string][]) : undefined,
    };
  }

  find(eventId: string): StoredEvent | undefined {
    const [row] = this.#database.rows("SELECT * FROM event WHERE event_id = ?", eventId);
    return row === undefined ? undefined : this.#event(row);
  }

  /** The accepted events of a room and what they rest on, in the order in which they came. */
  timeline(roomId: string): readonly StoredEvent[] {
    const shown = "standing IN ('accepted', 'outlier')";
    return this.#database
      .rows(`SELECT * FROM event WHERE room_id = ? AND ${shown} ORDER BY position`, roomId)
      .map((row) => this.#event(row));
  }

  events(state: StateMap): readonly StoredEvent[] {
    return [...state.values()].flatMap((id) => this.find(id) ?? []);
  }

  /** The state that the room has now. */
  current(roomId: string): StateMap {
    return new Map(this.#places(roomId).map(({ place, eventId }) => [place, eventId]));
  }

  stateNow(roomId: string): RoomState {
    return this.view(roomId, this.current(roomId));
  }

  view(roomId: string, state: StateMap): RoomState {
    const version = this.version(roomId);
    if (version === undefined) throw new Error("The room is not known.");
    return roomState(
      roomId,
      version,
      this.events(state).map(({ pdu }) => pdu),
    );
  }

  /** The state before an event: that after the events which it follows, or that of now where one of these has none. */
  stateBefore(roomId: string, pdu: JsonObject): StateMap {
    const states = idsAt(pdu, "prev_events").map((id) => this.find(id)?.stateAfter);
    return this.#resolve(states.map((state) => state ?? this.current(roomId)));
  }

  /**
   * The simplest state resolution: of two events in one place the deeper counts, then the one with the lesser ID. It is not
   * the algorithm of any room version, and forks that somebody has made on purpose can fool it.
   */
  #resolve(states: readonly StateMap[]): StateMap {
    const [first = new Map<string, string>(), ...others] = states;
    const resolved = new Map(first);
    const depthOf = (id: string): number => Number(this.find(id)?.pdu["depth"] ?? 0);
    for (const [place, id] of others.flatMap((state) => [...state])) {
      const other = resolved.get(place) ?? id;
      const deeper = depthOf(id) - depthOf(other);
      resolved.set(place, deeper > 0 || (deeper === 0 && id < other) ? id : other);
    }
    return resolved;
  }

  /** Stores an event; call it in a transaction. `before` takes the place of the state that its predecessors have. */
  add(roomId: string, { eventId, pdu }: SignedPdu, standing: Standing, before?: StateMap): void {
    const state = new Map(standing === "outlier" ? [] : (before ?? this.stateBefore(roomId, pdu)));
    const stateKey = pdu["state_key"];
    if (typeof stateKey === "string" && standing !== "rejected")
      state.set(placeOf(textAt(pdu, "type"), stateKey), eventId);
    this.#database.rows(
      `INSERT OR REPLACE INTO event (event_id, room_id, pdu, standing, state_after) VALUES (?, ?, ?, ?, ?)`,
      ...[eventId, roomId, writeJson(pdu), standing],
      standing === "outlier" ? null : JSON.stringify([...state]),
    );
    if (standing !== "accepted") return;
    const followed = idsAt(pdu, "prev_events");
    const heads = [...this.heads(roomId).filter((id) => id !== eventId && !followed.includes(id)), eventId];
    this.#database.rows("UPDATE room SET heads = ? WHERE room_id = ?", JSON.stringify(heads), roomId);
    this.#setCurrent(roomId, this.#resolve(heads.map((id) => this.find(id)?.stateAfter ?? new Map())));
    if (pdu["type"] === "m.room.redaction") this.#redact(roomId, pdu);
    this.#listener.accepted(roomId, { eventId, pdu });
  }

  #redact(roomId: string, pdu: JsonObject): void {
    const target = this.find(textAt(pdu, "redacts") || textAt(pdu, "content", "redacts"));
    const redacted =
      target?.roomId === roomId ? redactedBy(pdu, target.pdu, this.stateNow(roomId)) : undefined;
    if (target === undefined || redacted === undefined) return;
    this.#database.rows("UPDATE event SET pdu = ? WHERE event_id = ?", writeJson(redacted), target.eventId);
    const now = "(SELECT max(position) FROM event)";
    this.#database.rows(`UPDATE state SET changed_at = ${now} WHERE event_id = ?`, target.eventId);
  }

  #setCurrent(roomId: string, state: StateMap): void {
    const old = this.current(roomId);
    for (const [place, eventId] of state)
      if (old.get(place) !== eventId)
        this.#database.rows(
          `INSERT OR REPLACE INTO state (room_id, place, event_id, changed_at)
           VALUES (?, ?, ?, (SELECT max(position) FROM event))`,
          ...[roomId, place, eventId],
        );
    for (const place of old.keys())
      if (!state.has(place))
        this.#database.rows("DELETE FROM state WHERE room_id = ? AND place = ?", roomId, place);
  }

  /** The servers whose users are in the room. */
  serversIn(roomId: string): ReadonlySet<string> {
    const members = this.#places(roomId).filter(({ place }) => place.startsWith('["m.room.member",'));
    const joined = members.flatMap(({ eventId }) => {
      const pdu = this.find(eventId)?.pdu;
      return textAt(pdu, "content", "membership") === "join" ? [domainOf(textAt(pdu, "state_key"))] : [];
    });
    return new Set(joined);
  }

  membership(roomId: string, userId: string): string {
    const entry = this.current(roomId).get(placeOf("m.room.member", userId));
    return entry === undefined ? "" : textAt(this.find(entry)?.pdu, "content", "membership");
  }
}
