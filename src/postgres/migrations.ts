import type { Tables } from "./client.js";

/**
 * The statements of each version, the first first. A version reads what the one before has written; a version that was
 * released is never changed, and none is taken back.
 *
 * Times are `double precision`: they are numbers of JavaScript, milliseconds since 1970, and no other type holds every
 * one of them exactly. What a record holds stands in `record` as JSON, which only this library reads; the other columns
 * are what the statements look at.
 */
export const migrations: readonly ((tables: Tables) => readonly string[])[] = [
  ({ invites, redemptions, limits }) => [
    `CREATE TABLE ${invites} (
      key text COLLATE "C" PRIMARY KEY,
      mark uuid NOT NULL,
      room_id text NOT NULL,
      sender text NOT NULL,
      id_server text NOT NULL,
      address_hash text NOT NULL,
      created_at double precision NOT NULL,
      tokens text[] NOT NULL,
      record text NOT NULL
    )`,
    `CREATE INDEX third_party_invites_by_room ON ${invites} (room_id, created_at DESC, key)`,
    `CREATE INDEX third_party_invites_by_sender ON ${invites} (sender, created_at DESC, key)`,
    `CREATE INDEX third_party_invites_by_id_server ON ${invites} (id_server, created_at DESC, key)`,
    `CREATE INDEX third_party_invites_by_address ON ${invites} (address_hash, created_at DESC, key)`,
    `CREATE INDEX third_party_invites_by_token ON ${invites} USING gin (tokens)`,
    `CREATE TABLE ${redemptions} (
      id text COLLATE "C" PRIMARY KEY,
      mark uuid NOT NULL,
      token text NOT NULL,
      mxid text NOT NULL,
      destination text NOT NULL,
      lane text NOT NULL,
      place double precision NOT NULL,
      leaving double precision NOT NULL,
      at double precision NOT NULL,
      bytes integer NOT NULL,
      record text NOT NULL
    )`,
    `CREATE INDEX third_party_redemptions_by_place ON ${redemptions} (lane, place, id)`,
    `CREATE INDEX third_party_redemptions_by_time ON ${redemptions} (lane, at)`,
    `CREATE INDEX third_party_redemptions_by_leaving ON ${redemptions} (lane, leaving, id) INCLUDE (bytes)`,
    `CREATE INDEX third_party_redemptions_by_user ON ${redemptions} (mxid, lane, destination)
      WHERE lane IN ('vouched', 'unvouched')`,
    `CREATE INDEX third_party_redemptions_by_token ON ${redemptions} (token)
      WHERE lane IN ('redeemed', 'announced')`,
    `CREATE TABLE ${limits} (
      key text PRIMARY KEY,
      full_at double precision NOT NULL,
      is_taken boolean NOT NULL
    )`,
    `CREATE INDEX third_party_limits_by_time ON ${limits} (full_at)`,
  ],
];
