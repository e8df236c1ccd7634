import type { SqlRow } from "../storage/sql-row.js";

export type { SqlRow } from "../storage/sql-row.js";

/**
 * What runs one statement: a `Pool` or `Client` of pg, a PGlite, or a few lines around another driver. Parameters are
 * texts or null, and the statements say themselves what to make of them, so no driver's conversion matters.
 */
export interface SqlClient {
  readonly query: (
    text: string,
    params: (string | null)[],
  ) => Promise<{
    readonly rows: readonly SqlRow[];
  }>;
}

/** What runs some statements in one transaction: all that `work` did, or nothing if it rejects. */
export interface SqlHost {
  readonly transaction: <T>(work: (client: SqlClient) => Promise<T>) => Promise<T>;
}

export interface PostgresOptions {
  /** The schema that has, or shall have, the tables. It must exist. Without it, where `search_path` leads. */
  readonly schema?: string;
}

/** The names of the tables, as they stand in a statement. */
export interface Tables {
  readonly invites: string;
  readonly redemptions: string;
  readonly limits: string;
  readonly migrations: string;
}

const quoted = (name: string): string => {
  if (name === "" || name.includes("\0")) throw new TypeError("This is no name of a schema.");
  return `"${name.replaceAll('"', '""')}"`;
};

export const tablesOf = ({ schema }: PostgresOptions): Tables => {
  const prefix = schema === undefined ? "" : `${quoted(schema)}.`;
  return {
    invites: `${prefix}third_party_invites`,
    redemptions: `${prefix}third_party_redemptions`,
    limits: `${prefix}third_party_limits`,
    migrations: `${prefix}third_party_migrations`,
  };
};
