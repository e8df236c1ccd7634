import sqlite from "node-sqlite3-wasm";
import { type SqliteClient, migrate, sqliteStorage } from "matrix-third-party-invites/sqlite";

export const database = new sqlite.Database(process.env["DATABASE_FILE"] ?? ":memory:");

const client: SqliteClient = { all: (statement, params) => database.all(statement, [...params]) };

await migrate(client);
export const storage = sqliteStorage(client);
