/**
 * Storage on SQLite 3.38 or later: the ports `invites`, `redemptions` and `limits` over a client that you give, a few lines
 * around `node:sqlite`, better-sqlite3, `bun:sqlite`, a WebAssembly SQLite or Cloudflare D1. Nothing here opens a file or
 * depends on a driver. Each call is one statement.
 *
 * @example
 * const client = { all: (statement, params) => database.prepare(statement).all(...params) };
 * await migrate(client);
 * const ports = { ...sqliteStorage(client), config, crypto };
 *
 * @module
 */
import type { Invites, Limits, Redemptions } from "../ports.js";
import { type SqliteClient, askOf } from "./client.js";
import { sqliteInvites } from "./invites.js";
import { sqliteLimits } from "./limits.js";
import { sqliteRedemptions } from "./redemptions.js";

export type { SqlRow } from "../storage/sql-row.js";
export type { SqliteClient } from "./client.js";
export { migrate } from "./migrate.js";

/**
 * The storage ports on SQLite, over one statement for each call. `migrate` makes their tables.
 *
 * @example
 * const { invites, redemptions, limits } = sqliteStorage(client);
 */
export const sqliteStorage = (
  client: SqliteClient,
): { readonly invites: Invites; readonly redemptions: Redemptions; readonly limits: Limits } => {
  const ask = askOf(client);
  return { invites: sqliteInvites(ask), redemptions: sqliteRedemptions(ask), limits: sqliteLimits(ask) };
};
