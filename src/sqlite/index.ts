/**
 * Storage on SQLite: the ports `invites`, `redemptions` and `limits` over a client that you give, of node:sqlite,
 * better-sqlite3, bun:sqlite, a WebAssembly SQLite, Cloudflare D1, or another driver. Nothing here opens a file or
 * depends on a driver.
 *
 * @example
 * const db = new Database("./data.sqlite"); // of node-sqlite3-wasm
 * await migrate(db);
 * const storage = sqliteStorage(db);
 *
 * @module
 */
export type { SqlRow } from "../storage/sql/row.js";
export type { Storage } from "../storage/sql/storage.js";
export type { SqliteClient } from "./client.js";
export { migrate } from "./migrate.js";
export { sqliteStorage } from "./storage.js";
