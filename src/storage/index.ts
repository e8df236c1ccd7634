/**
 * What an adapter of the storage ports needs: the row that a table keeps of a record, and the record that is read out of a
 * row. docs/ports.md tells what each statement has to do.
 *
 * @example
 * const { id, lane, place, at, record } = redemptionRow(redemption); // some of the columns
 * readRedemption(record); // the redemption
 *
 * @module
 */
export { type InviteRow, inviteRow } from "../invite/invite-row.js";
export {
  type Lane,
  type RedemptionRow,
  redemptionRow,
  tokenColumn,
  waitingLanes,
} from "../invite/redemption-row.js";
export { readInvite } from "./read-invite.js";
export { readRedemption } from "./read-redemption.js";
