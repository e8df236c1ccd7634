import { DatabaseSync } from "node:sqlite";
import { type SqliteClient, migrate, sqliteStorage } from "matrix-third-party-invites/sqlite";

export const database = new DatabaseSync(process.env["DATABASE_FILE"] ?? ":memory:");
database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 50");

const client: SqliteClient = { all: (statement, params) => database.prepare(statement).all(...params) };

await migrate(client);
export const storage = sqliteStorage(client); // invites, redemptions and limits
