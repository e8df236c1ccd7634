/**
 * Storage on PostgreSQL 13 or later: the ports `invites`, `redemptions` and `limits` over a client that you give, of pg, of
 * PGlite, or of another driver. Nothing here opens a connection or depends on a driver. Each call is one statement.
 *
 * @example
 * const db = new PGlite("./data");
 * await migrate(db);
 * const ports = { ...postgresStorage(db), config, crypto };
 *
 * @module
 */
export type { PostgresOptions, SqlClient, SqlHost, SqlRow } from "./client.js";
export { migrate } from "./migrate.js";
export { type Storage, postgresStorage } from "./storage.js";
