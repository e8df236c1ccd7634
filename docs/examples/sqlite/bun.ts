import { Database } from "bun:sqlite";
import { type SqliteClient, migrate, sqliteStorage } from "matrix-third-party-invites/sqlite";

export const database = new Database(process.env["DATABASE_FILE"] ?? ":memory:");
database.run("PRAGMA journal_mode = WAL");
database.run("PRAGMA synchronous = FULL");
database.run("PRAGMA busy_timeout = 50");

const client: SqliteClient = {
  all: (statement, params) => database.query(statement).all(...params) as Record<string, unknown>[],
};

await migrate(client);
export const storage = sqliteStorage(client);
