import type { InviteRecord } from "../invite/invite-life.js";
import { inviteRow } from "../invite/invite-row.js";
import type { RedemptionRecord } from "../invite/redemption.js";
import type { Lane } from "../invite/redemption-row.js";
import type { InviteQuery, LaneSize, Marked } from "../ports.js";
import { readInvite } from "./read-invite.js";
import { readRedemption } from "./read-redemption.js";
import { unreadable } from "./stored-json.js";

/** One row of an answer. Its values are whatever the driver makes of them. */
export type SqlRow = Readonly<Record<string, unknown>>;

export const textOf = (row: SqlRow, column: string): string => {
  const value = row[column];
  if (typeof value !== "string") throw unreadable(column);
  return value;
};

/** Drivers give numbers of 64 bits as a number, a bigint, or a text. */
export const numberOrNull = (row: SqlRow, column: string): number | undefined => {
  const value = row[column];
  if (value === null || value === undefined) return undefined;
  const number =
    typeof value === "number" || typeof value === "bigint" || (typeof value === "string" && value !== "")
      ? Number(value)
      : NaN;
  if (Number.isNaN(number)) throw unreadable(column);
  return number;
};

export const numberOf = (row: SqlRow, column: string): number => {
  const value = numberOrNull(row, column);
  if (value === undefined) throw unreadable(column);
  return value;
};

/** The row of a statement that always answers with one. */
export const onlyRow = (rows: readonly SqlRow[]): SqlRow => {
  const [row] = rows;
  if (row === undefined) throw new Error("The database has answered nothing.");
  return row;
};

/** The first eight parameters of a statement that writes an invite. */
export const inviteParams = (record: InviteRecord): readonly (string | number)[] => {
  const row = inviteRow(record);
  const { key, roomId, sender, idServer, addressHash, createdAt } = row;
  return [key, roomId, sender, idServer, addressHash, createdAt, JSON.stringify(row.tokens), row.record];
};

/** The column that a query of invites looks at, and its value. */
export const inviteFilter = (by: InviteQuery["by"]): readonly [column: string, value: string] => {
  if ("roomId" in by) return ["room_id", by.roomId];
  if ("sender" in by) return ["sender", by.sender];
  if ("idServer" in by) return ["id_server", by.idServer];
  return ["address_hash", by.addressHash];
};

export const inviteOf = (row: SqlRow): Marked<InviteRecord> => ({
  value: readInvite(textOf(row, "record")),
  mark: textOf(row, "mark"),
});

export const redemptionOf = (row: SqlRow): Marked<RedemptionRecord> => ({
  value: readRedemption(textOf(row, "record")),
  mark: textOf(row, "mark"),
});

/** A row of the answer to `sizes`; its statement asks for the lanes by their names. */
export const laneSizeOf = (row: SqlRow): LaneSize => ({
  lane: textOf(row, "lane") as Lane,
  rows: numberOf(row, "row_count"),
  bytes: numberOf(row, "byte_count"),
  ahead: { rows: numberOf(row, "ahead_rows"), bytes: numberOf(row, "ahead_bytes") },
  oldest: numberOf(row, "oldest"),
});
