import type { SqlRow } from "../storage/sql/row.js";
import { type Database, type Dialect, rendered, sql, written } from "../storage/sql/statement.js";

/**
 * What runs one statement: a `Pool` or `Client` of pg, a PGlite, or a few lines around another driver. Parameters are
 * texts, and the statements say themselves what to make of them, so no driver's conversion matters.
 */
export interface SqlClient {
  readonly query: (
    text: string,
    params: string[],
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

const quoted = (name: string): string => {
  if (name === "" || name.includes("\0")) throw new TypeError("This is no name of a schema.");
  return `"${name.replaceAll('"', '""')}"`;
};

const dialect: Dialect = {
  parameter: (n) => `$${n}`,
  textType: 'text COLLATE "C"',
  newMark: written("gen_random_uuid()::text"),
  least: written("least"),
  greatest: written("greatest"),
  items: (list) => sql`json_array_elements(CAST(${list} AS json)) AS item (value)`,
  texts: (list) => sql`SELECT json_array_elements_text(CAST(${list} AS json))`,
  // As an array it is surely made once, and rows are found by index whatever their number is taken for.
  isAmong: (column, rows) => sql`${column} = ANY (ARRAY(${rows}))`,
  // Who waits for rows that another takes ends up with none, though others are free; and two may wait in a ring.
  skipLocked: written("FOR UPDATE SKIP LOCKED"),
};

/** The tables of a schema, through a client. */
export const databaseIn = ({ schema }: PostgresOptions): ((client: SqlClient) => Database) => {
  const prefix = schema === undefined ? "" : `${quoted(schema)}.`;
  return (client) => ({
    dialect,
    prefix,
    ask: async (statement, { signal }) => {
      signal?.throwIfAborted();
      return (await client.query(...rendered(statement, dialect))).rows;
    },
  });
};
