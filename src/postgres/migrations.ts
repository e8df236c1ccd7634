import type { Tables } from "./client.js";

/**
 * The statements of each version, the first first. A version reads what the one before has written; a version that was
 * released is never changed, and none is taken back.
 *
 * Times are `double precision`: they are numbers of JavaScript, milliseconds since 1970, and no other type holds every
 * one of them exactly. Texts and JSON: see `encoding.ts`. Whoever looks at them writes `to_timestamp(due_at / 1000)` and
 * `signed::json ->> 'mxid'`.
 */
export const migrations: readonly ((tables: Tables) => readonly string[])[] = [
  ({ invites, redemptions }) => [
    `CREATE TABLE ${invites} (
      key text PRIMARY KEY,
      mark uuid NOT NULL,
      room_id text NOT NULL,
      sender text NOT NULL,
      id_server text NOT NULL,
      created_at double precision NOT NULL,
      details text NOT NULL,
      threepid text,
      life text NOT NULL,
      tokens text[] NOT NULL
    )`,
    `CREATE INDEX third_party_invites_by_room ON ${invites} (room_id)`,
    `CREATE INDEX third_party_invites_by_token ON ${invites} USING gin (tokens)`,
    // free_at: when somebody may take the row, since it is due and no lease lives. A greatest of null is the other one.
    `CREATE TABLE ${redemptions} (
      room_id text NOT NULL,
      token text NOT NULL,
      mxid text NOT NULL,
      proof text NOT NULL,
      sender text NOT NULL,
      destination text NOT NULL,
      signed text NOT NULL,
      owed_at double precision NOT NULL,
      due_at double precision NOT NULL,
      attempts integer NOT NULL,
      state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'redeemed', 'done', 'dead')),
      reason text,
      status integer,
      errcode text,
      lease uuid,
      leased_until double precision,
      free_at double precision NOT NULL GENERATED ALWAYS AS (greatest(due_at, leased_until)) STORED,
      PRIMARY KEY (room_id, token, mxid, proof)
    )`,
    `CREATE INDEX third_party_redemptions_free ON ${redemptions} (free_at) WHERE state = 'waiting'`,
    `CREATE INDEX third_party_redemptions_by_user ON ${redemptions} (mxid) WHERE state = 'waiting'`,
    `CREATE INDEX third_party_redemptions_by_server ON ${redemptions} (destination) WHERE state = 'waiting'`,
  ],
];
