/**
 * Storage on PostgreSQL: the ports `invites` and `redemptions` over a client that you give, of pg, of PGlite, or of
 * another driver. Nothing here opens a connection or depends on a driver.
 *
 * @example
 * const db = new PGlite("./data");
 * await migrate(db);
 * const storage = { invites: postgresInvites(db), redemptions: postgresRedemptions(db) };
 *
 * @module
 */
export type { PostgresOptions, SqlClient, SqlHost, SqlRow } from "./client.js";
export { postgresInvites } from "./invites.js";
export { migrate } from "./migrate.js";
export { postgresRedemptions } from "./redemptions.js";
