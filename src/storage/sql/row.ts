import { unreadable } from "../stored-json.js";

/** One row of an answer. Its values are whatever the driver makes of them. */
export type SqlRow = Readonly<Record<string, unknown>>;

export const text = (row: SqlRow, column: string): string => {
  const value = row[column];
  if (typeof value !== "string") throw unreadable(column);
  return value;
};

/** Drivers give numbers of 64 bits as a number, a bigint, or a text. */
export const numberOrNull = (row: SqlRow, column: string): number | undefined => {
  const value = row[column];
  if (value === null) return undefined;
  const isNumber =
    typeof value === "number" || typeof value === "bigint" || (typeof value === "string" && value !== "");
  const number = isNumber ? Number(value) : NaN;
  if (Number.isNaN(number)) throw unreadable(column);
  return number;
};

export const number = (row: SqlRow, column: string): number => {
  const value = numberOrNull(row, column);
  if (value === undefined) throw unreadable(column);
  return value;
};

/** The row of a statement that always answers with one. */
export const only = (rows: readonly SqlRow[]): SqlRow => {
  const [row] = rows;
  if (row === undefined) throw new Error("The database has answered nothing.");
  return row;
};
