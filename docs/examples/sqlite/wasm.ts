import sqlite from "node-sqlite3-wasm";
import { migrate, sqliteStorage } from "matrix-third-party-invites/sqlite";

export const database = new sqlite.Database(process.env["DATABASE_FILE"] ?? ":memory:");

await migrate(database);
export const storage = sqliteStorage(database);
