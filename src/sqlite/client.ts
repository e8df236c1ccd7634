import type { PortOptions } from "../ports.js";
import type { SqlRow } from "../storage/sql-row.js";

/**
 * What runs one statement and answers with its rows: `node:sqlite`, better-sqlite3, `bun:sqlite`, a WebAssembly SQLite or
 * Cloudflare D1, with a few lines around it. Parameters are texts, numbers or null, and stand as `?1`, `?2`, … in the
 * statement.
 */
export interface SqliteClient {
  readonly all: (
    statement: string,
    params: readonly (string | number | null)[],
  ) => readonly SqlRow[] | Promise<readonly SqlRow[]>;
}

export const tables = {
  invites: "third_party_invites",
  redemptions: "third_party_redemptions",
  limits: "third_party_limits",
} as const;

/** Runs one statement, unless the caller has stopped. */
export type Ask = (
  statement: string,
  params: readonly (string | number | null)[],
  options: PortOptions,
) => Promise<readonly SqlRow[]>;

export const askOf =
  (client: SqliteClient): Ask =>
  async (statement, params, { signal }) => {
    signal?.throwIfAborted();
    return await client.all(statement, params);
  };
