import { waitingLanes } from "../../invite/redemption-row.js";
import type { Database } from "./statement.js";

/** Whether a row waits. The index by place has no other rows: a statement that is to use it has this in it, word for word. */
export const waits = `lane IN (${waitingLanes.map((lane) => `'${lane}'`).join(", ")})`;

/**
 * The statements of each version, the first first. A version reads what the one before has written; a version that was
 * released is never changed, and none is taken back. A database without transactions may run a statement again after it
 * was stopped: so each changes nothing where it was run before.
 *
 * Numbers are `double precision`: they are numbers of JavaScript, times in milliseconds since 1970, and no other type
 * holds every one of them exactly. `mark` is drawn anew whenever a row is written. Index names have no prefix: an index
 * stands where its table does.
 */
export const migrations: readonly ((of: Pick<Database, "dialect" | "prefix">) => readonly string[])[] = [
  ({ dialect: { textType: text }, prefix }) => {
    const invites = `${prefix}third_party_invites`;
    const redemptions = `${prefix}third_party_redemptions`;
    const limits = `${prefix}third_party_limits`;
    return [
      `CREATE TABLE IF NOT EXISTS ${invites} (
        key ${text} NOT NULL PRIMARY KEY,
        mark ${text} NOT NULL,
        is_new integer NOT NULL,
        room_id ${text} NOT NULL,
        sender ${text} NOT NULL,
        id_server ${text} NOT NULL,
        address_hash ${text} NOT NULL,
        created_at double precision NOT NULL,
        token ${text},
        tokens ${text},
        record ${text} NOT NULL
      )`,
      ...["room_id", "sender", "id_server", "address_hash"].map(
        (column) =>
          `CREATE INDEX IF NOT EXISTS third_party_invites_by_${column} ON ${invites} (${column}, created_at DESC, key)`,
      ),
      `CREATE INDEX IF NOT EXISTS third_party_invites_by_token ON ${invites} (room_id, token)`,
      `CREATE INDEX IF NOT EXISTS third_party_invites_of_tokens ON ${invites} (room_id) WHERE tokens IS NOT NULL`,
      `CREATE TABLE IF NOT EXISTS ${redemptions} (
        id ${text} NOT NULL PRIMARY KEY,
        mark ${text} NOT NULL,
        token ${text} NOT NULL,
        mxid ${text} NOT NULL,
        destination ${text} NOT NULL,
        lane ${text} NOT NULL,
        place double precision NOT NULL,
        leaving double precision NOT NULL,
        at double precision NOT NULL,
        bytes double precision NOT NULL,
        record ${text} NOT NULL
      )`,
      `CREATE INDEX IF NOT EXISTS third_party_redemptions_by_place ON ${redemptions} (lane, place, id) WHERE ${waits}`,
      `CREATE INDEX IF NOT EXISTS third_party_redemptions_by_time ON ${redemptions} (lane, at)`,
      `CREATE INDEX IF NOT EXISTS third_party_redemptions_by_leaving ON ${redemptions} (lane, leaving, id, bytes)`,
      `CREATE INDEX IF NOT EXISTS third_party_redemptions_by_user ON ${redemptions} (mxid, lane, destination)`,
      `CREATE INDEX IF NOT EXISTS third_party_redemptions_known ON ${redemptions} (token, at)
        WHERE lane IN ('redeemed', 'announced')`,
      `CREATE TABLE IF NOT EXISTS ${limits} (
        key ${text} NOT NULL PRIMARY KEY,
        full_at double precision NOT NULL,
        is_taken integer NOT NULL
      )`,
      `CREATE INDEX IF NOT EXISTS third_party_limits_full ON ${limits} (full_at)`,
    ];
  },
];
