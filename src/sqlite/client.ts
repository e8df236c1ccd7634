import type { SqlRow } from "../storage/sql/row.js";
import { type Database, type Dialect, rendered, sql, written } from "../storage/sql/statement.js";

/**
 * What runs one statement and answers with its rows, at once or later: the `Database` of node-sqlite3-wasm, or a few
 * lines around another driver. Parameters are texts, one for each `?`, in their order.
 */
export interface SqliteClient {
  readonly all: (text: string, params: string[]) => readonly SqlRow[] | PromiseLike<readonly SqlRow[]>;
}

const dialect: Dialect = {
  parameter: () => "?",
  textType: "text",
  newMark: written("lower(hex(randomblob(16)))"),
  least: written("min"),
  greatest: written("max"),
  items: (list) => sql`json_each(${list}) AS item`,
  texts: (list) => sql`SELECT value FROM json_each(${list})`,
  isAmong: (column, rows) => sql`${column} IN (${rows})`,
  // One statement writes at a time.
  skipLocked: written(""),
};

/** The tables of a database, through a client. */
export const databaseOf = (client: SqliteClient): Database => ({
  dialect,
  prefix: "",
  ask: async (statement, { signal }) => {
    signal?.throwIfAborted();
    return client.all(...rendered(statement, dialect));
  },
});
