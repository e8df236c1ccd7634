import type { SignedPdu } from "matrix-third-party-invites/matrix";
import type { JsonObject } from "matrix-third-party-invites/ports";
import type { Room, Store } from "../event-builder/rooms.js";
import type { D1 } from "../sqlite/d1.js";

/** What this needs of the binding `D1Database`. A batch is one transaction. */
export interface D1Rooms extends D1 {
  readonly batch: (statements: ReturnType<ReturnType<D1["prepare"]>["bind"]>[]) => Promise<unknown>;
}

const tables = [
  "CREATE TABLE IF NOT EXISTS users (user_id TEXT PRIMARY KEY, token TEXT UNIQUE)",
  "CREATE TABLE IF NOT EXISTS rooms (room_id TEXT PRIMARY KEY, version TEXT NOT NULL)",
  `CREATE TABLE IF NOT EXISTS events (
    room_id TEXT NOT NULL, position INTEGER NOT NULL, event_id TEXT NOT NULL UNIQUE, pdu TEXT NOT NULL,
    type TEXT AS (json_extract(pdu, '$.type')), state_key TEXT AS (json_extract(pdu, '$.state_key')),
    PRIMARY KEY (room_id, position))`,
];

export const makeTables = (database: D1Rooms): Promise<unknown> =>
  database.batch(tables.map((statement) => database.prepare(statement).bind()));

/** Rooms of this server alone: their events are one line, so the newest event is the only head. */
export const roomStore = (database: D1Rooms): Store => {
  const room = async (roomId: string): Promise<Room | undefined> => {
    // The newest event of each place, the newest of all among them.
    const statement = `SELECT version, type, state_key, event_id, pdu, max(position) AS position
      FROM rooms LEFT JOIN events USING (room_id) WHERE room_id = ? GROUP BY type, state_key ORDER BY position`;
    const { results } = await database.prepare(statement).bind(roomId).all();
    const [first] = results;
    if (first === undefined) return undefined;
    const events = results.flatMap((row) =>
      typeof row["pdu"] === "string"
        ? [
            {
              type: row["type"],
              stateKey: row["state_key"],
              eventId: String(row["event_id"]),
              pdu: JSON.parse(row["pdu"]) as JsonObject,
              changedAt: Number(row["position"]),
            },
          ]
        : [],
    );
    return {
      version: String(first["version"]),
      position: events.at(-1)?.changedAt ?? 0,
      heads: events.slice(-1),
      at: (type, stateKey) => events.find((event) => event.type === type && event.stateKey === stateKey),
      stateKeys: (type) =>
        events.flatMap((event) =>
          event.type === type && typeof event.stateKey === "string" ? [event.stateKey] : [],
        ),
      event: (eventId) => events.find((event) => event.eventId === eventId),
    };
  };

  return {
    room,
    transaction: async (roomId, work) => {
      for (let tries = 1; ; tries += 1) {
        const before = await room(roomId);
        const written: SignedPdu[] = [];
        const result = work(before, (event) => written.push(event));
        const statements = written.map(({ eventId, pdu }, index) =>
          database
            .prepare("INSERT INTO events (room_id, position, event_id, pdu) VALUES (?, ?, ?, ?)")
            .bind(roomId, String((before?.position ?? 0) + 1 + index), eventId, JSON.stringify(pdu)),
        );
        try {
          if (statements.length > 0) await database.batch(statements);
          return result;
        } catch (thrown) {
          // Another request has taken the position: `work` looks at the room again.
          if (tries === 5 || !String(thrown).includes("UNIQUE")) throw thrown;
        }
      }
    },
  };
};
