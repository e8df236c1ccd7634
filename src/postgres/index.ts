/**
 * Storage on PostgreSQL: the ports `invites`, `redemptions` and `limits` over a client that you give, of pg, of PGlite,
 * or of another driver. Nothing here opens a connection or depends on a driver.
 *
 * @example
 * const db = new PGlite("./data");
 * await migrate(db);
 * const storage = postgresStorage(db);
 *
 * @module
 */
export type { SqlRow } from "../storage/sql/row.js";
export type { Storage } from "../storage/sql/storage.js";
export type { PostgresOptions, SqlClient, SqlHost } from "./client.js";
export { migrate } from "./migrate.js";
export { postgresStorage } from "./storage.js";
