import type { PortOptions } from "../../ports.js";
import type { SqlRow } from "./row.js";

/** A statement or a piece of one: what stands before, between and after its values. */
export interface Sql {
  readonly parts: readonly string[];
  readonly values: readonly (string | number)[];
}

/** What the databases write differently. */
export interface Dialect {
  /** The name of the nth parameter, which is a text. */
  readonly parameter: (n: number) => string;
  /** A text that is compared by its bytes. */
  readonly textType: string;
  /** A text that nobody else has. */
  readonly newMark: Sql;
  /** Of two numbers. */
  readonly least: Sql;
  readonly greatest: Sql;
  /** The elements of a JSON list as a table `item` with a column `value`, whose members `->>` reads. */
  readonly items: (list: Sql) => Sql;
  /** The rows of one column: the texts in a JSON list. */
  readonly texts: (list: Sql) => Sql;
  /** Whether a column is among the rows of one column, which are looked up once. */
  readonly isAmong: (column: Sql, rows: Sql) => Sql;
  /** At the end of a `SELECT` whose rows are then changed: leave out what somebody else is changing. */
  readonly skipLocked: Sql;
}

/** Runs one statement. */
export type Ask = (statement: Sql, options: PortOptions) => Promise<readonly SqlRow[]>;

/** What the ports of one database are made of. */
export interface Database {
  readonly dialect: Dialect;
  readonly ask: Ask;
  /** Stands before the name of each table. */
  readonly prefix: string;
}

/** What a template may hold. */
export type SqlValue = string | number | null | Sql;

/** Joins two pieces: the last part of the one and the first of the other become one. */
const joined = (one: Sql, other: Sql): Sql => {
  const [first = "", ...rest] = other.parts;
  return {
    parts: [...one.parts.slice(0, -1), `${one.parts.at(-1) ?? ""}${first}`, ...rest],
    values: [...one.values, ...other.values],
  };
};

/** A piece that is written as it is. */
export const written = (text: string): Sql => ({ parts: [text], values: [] });

const pieceOf = (value: SqlValue): Sql => {
  if (value === null) return written("NULL");
  return typeof value === "object" ? value : { parts: ["", ""], values: [value] };
};

/** A template: texts and numbers become parameters, pieces stand where they are named. */
export const sql = (texts: TemplateStringsArray, ...values: readonly SqlValue[]): Sql =>
  values.reduce<Sql>(
    (before, value, index) => joined(joined(before, pieceOf(value)), written(texts[index + 1] ?? "")),
    written(texts[0] ?? ""),
  );

/** Values or pieces with this between them. Of none it is NULL, which nothing is in. */
export const listed = (values: readonly SqlValue[], between = ", "): Sql => {
  const [first = null, ...rest] = values;
  return rest.reduce<Sql>(
    (before, value) => joined(joined(before, written(between)), pieceOf(value)),
    pieceOf(first),
  );
};

/** `LIMIT`, where there is one. */
export const limitTo = (limit: number | undefined): Sql =>
  limit === undefined ? written("") : sql`LIMIT CAST(${String(limit)} AS bigint)`;

/** A number as the text of a parameter. A database has no text for what is infinite: the greatest number stands for it. */
const numberText = (value: number): string => {
  if (Number.isNaN(value)) throw new TypeError("A value is not a number.");
  return String(Math.min(Math.max(value, -Number.MAX_VALUE), Number.MAX_VALUE));
};

/**
 * The statement and its parameters. Each parameter is a text, and the statement says what to make of it: so no driver's
 * conversion matters.
 */
export const rendered = ({ parts, values }: Sql, { parameter }: Dialect): [string, string[]] => {
  const [first = "", ...rest] = parts;
  const marked = rest.map((part, index) => {
    const type = typeof values[index] === "number" ? "double precision" : "text";
    return `CAST(${parameter(index + 1)} AS ${type})${part}`;
  });
  return [
    [first, ...marked].join(""),
    values.map((value) => (typeof value === "number" ? numberText(value) : value)),
  ];
};
