import { escapedText } from "./escaped-text.js";
import { type InviteRecord, tokensOf } from "./invite-life.js";

/**
 * An invite as a table has it: one text that only this library reads, and the columns that the statements look at. All
 * texts but `record` are escaped, so that every database holds them.
 */
export interface InviteRow {
  readonly key: string;
  readonly roomId: string;
  readonly sender: string;
  readonly idServer: string;
  readonly addressHash: string;
  readonly createdAt: number;
  /** The tokens of its life, each escaped. */
  readonly tokens: readonly string[];
  readonly record: string;
}

/** What a table keeps of an invite. */
export const inviteRow = (record: InviteRecord): InviteRow => ({
  key: escapedText(record.key),
  roomId: escapedText(record.roomId),
  sender: escapedText(record.sender),
  idServer: escapedText(record.idServer),
  addressHash: escapedText(record.addressHash),
  createdAt: record.createdAt,
  tokens: tokensOf(record.life).map(escapedText),
  record: JSON.stringify(record),
});
