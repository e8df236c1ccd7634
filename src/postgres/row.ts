import { type Either, isLeft } from "fp-ts/lib/Either.js";
import {
  type RoomId,
  type ServerName,
  type UserId,
  parseRoomId,
  parseServerName,
  parseUserId,
} from "../matrix/ids.js";
import type { SqlRow } from "./client.js";
import { originalText } from "./encoding.js";

/** A row is not as this library writes it. What stands in it is not repeated. */
const unreadable = (column: string): Error =>
  new Error(`The column ${column} holds nothing that was stored here.`);

export const rawText = (row: SqlRow, column: string): string => {
  const value = row[column];
  if (typeof value !== "string") throw unreadable(column);
  return value;
};

export const text = (row: SqlRow, column: string): string => originalText(rawText(row, column));

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

const parsed = <A>(parse: (value: unknown) => Either<unknown, A>, row: SqlRow, column: string): A => {
  const value = parse(text(row, column));
  if (isLeft(value)) throw unreadable(column);
  return value.right;
};

export const roomIdIn = (row: SqlRow, column: string): RoomId => parsed(parseRoomId, row, column);

export const userIdIn = (row: SqlRow, column: string): UserId => parsed(parseUserId, row, column);

export const serverNameIn = (row: SqlRow, column: string): ServerName => parsed(parseServerName, row, column);
