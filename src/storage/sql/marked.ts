import type { Marked, PortOptions, ReplaceAnswer } from "../../ports.js";
import { type SqlRow, text } from "./row.js";
import { type Database, type Sql, type SqlValue, listed, sql, written } from "./statement.js";

/** The values of a row by the names of their columns; the first is the primary key. */
export type Columns = Readonly<Record<string, Exclude<SqlValue, Sql>>>;

/** Reads the columns `record` and `mark`. */
export const markedBy =
  <T>(read: (record: string) => T) =>
  (row: SqlRow): Marked<T> => ({ value: read(text(row, "record")), mark: text(row, "mark") });

/** Runs a statement whose rows have the columns `record` and `mark`, and reads them. */
export const askMarked =
  <T>({ ask }: Database, read: (record: string) => T) =>
  async (statement: Sql, given: PortOptions): Promise<readonly Marked<T>[]> =>
    (await ask(statement, given)).map(markedBy(read));

/** Replaces the row with this primary key if its mark is still this one. */
export const replaceRow =
  ({ dialect, ask }: Database, table: Sql) =>
  async (columns: Columns, mark: string, given: PortOptions): Promise<ReplaceAnswer> => {
    const [key, ...others] = Object.entries(columns).map(([name, value]) => sql`${written(name)} = ${value}`);
    const [row] = await ask(
      sql`UPDATE ${table} SET ${listed(others)}, mark = ${dialect.newMark}
      WHERE ${key ?? null} AND mark = ${mark}
      RETURNING mark`,
      given,
    );
    return row === undefined ? { _tag: "Stale" } : { _tag: "Replaced", mark: text(row, "mark") };
  };
