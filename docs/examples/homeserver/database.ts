import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type SqlRow, type SqliteClient, migrate } from "matrix-third-party-invites/sqlite";
import sqlite from "node-sqlite3-wasm";

const tables = `
  CREATE TABLE IF NOT EXISTS setting (name TEXT PRIMARY KEY, value TEXT NOT NULL);
  CREATE TABLE IF NOT EXISTS room (room_id TEXT PRIMARY KEY, version TEXT NOT NULL, heads TEXT NOT NULL);
  CREATE TABLE IF NOT EXISTS event (
    position INTEGER PRIMARY KEY AUTOINCREMENT, event_id TEXT NOT NULL UNIQUE, room_id TEXT NOT NULL,
    pdu TEXT NOT NULL, standing TEXT NOT NULL, state_after TEXT
  );
  CREATE INDEX IF NOT EXISTS event_of_room ON event (room_id, position);
  CREATE TABLE IF NOT EXISTS state (
    room_id TEXT NOT NULL, place TEXT NOT NULL, event_id TEXT NOT NULL, changed_at INTEGER NOT NULL,
    PRIMARY KEY (room_id, place)
  );
  CREATE TABLE IF NOT EXISTS invite (
    room_id TEXT NOT NULL, user_id TEXT NOT NULL, sender TEXT NOT NULL, shown TEXT NOT NULL,
    PRIMARY KEY (room_id, user_id)
  );
  CREATE TABLE IF NOT EXISTS outgoing (
    id INTEGER PRIMARY KEY AUTOINCREMENT, destination TEXT NOT NULL, pdu TEXT NOT NULL
  );
  CREATE TABLE IF NOT EXISTS incoming (
    origin TEXT NOT NULL, id TEXT NOT NULL, answer TEXT NOT NULL, PRIMARY KEY (origin, id)
  );
  CREATE TABLE IF NOT EXISTS server_keys (server TEXT PRIMARY KEY, document TEXT NOT NULL);
`;

/** An SQLite database in one file, for one process. */
export interface Database {
  /** What the library's own storage runs its statements with. */
  readonly client: SqliteClient;
  readonly rows: (statement: string, ...params: readonly (string | number | null)[]) => readonly SqlRow[];
  /** Runs all of `work` or nothing of it. It is synchronous, so nothing else comes between. */
  readonly transaction: <Result>(work: () => Result) => Result;
  /** A text that is made at the first start and kept. */
  readonly setting: (name: string, make: () => string) => string;
  readonly close: () => void;
}

/** Opens the database of a data folder and makes what is missing; without a folder, one in memory. */
export const openDatabase = async (folder?: string): Promise<Database> => {
  if (folder !== undefined) {
    mkdirSync(folder, { recursive: true });
    // A process that was killed while it wrote has left it behind; the folder is one process's own.
    rmSync(join(folder, "homeserver.sqlite.lock"), { recursive: true, force: true });
  }
  const database = new sqlite.Database(folder === undefined ? ":memory:" : join(folder, "homeserver.sqlite"));
  database.exec(tables);
  await migrate(database);
  const rows: Database["rows"] = (statement, ...params) => database.all(statement, [...params]);
  return {
    client: database,
    rows,
    transaction: (work) => {
      database.exec("BEGIN IMMEDIATE");
      try {
        const result = work();
        database.exec("COMMIT");
        return result;
      } catch (cause) {
        database.exec("ROLLBACK");
        throw cause;
      }
    },
    setting: (name, make) => {
      rows("INSERT OR IGNORE INTO setting (name, value) VALUES (?, ?)", name, make());
      return String(rows("SELECT value FROM setting WHERE name = ?", name)[0]?.["value"]);
    },
    close: () => {
      database.close();
    },
  };
};
