import type { SqlClient } from "matrix-third-party-invites/postgres";

/** The table and the statements by which a worker of release 0.1.0 took a redemption and ended it. */
export const queue010 = (client: SqlClient, table: string) => ({
  create: [
    `CREATE TABLE ${table} (
      room_id text NOT NULL, token text NOT NULL, mxid text NOT NULL, proof text NOT NULL, sender text NOT NULL,
      destination text NOT NULL, signed text NOT NULL, owed_at double precision NOT NULL,
      due_at double precision NOT NULL, attempts integer NOT NULL, state text NOT NULL DEFAULT 'waiting',
      reason text, status integer, errcode text, lease uuid, leased_until double precision,
      free_at double precision NOT NULL GENERATED ALWAYS AS (greatest(due_at, leased_until)) STORED,
      PRIMARY KEY (room_id, token, mxid, proof)
    )`,
    `CREATE INDEX ON ${table} (free_at) WHERE state = 'waiting'`,
    `CREATE INDEX ON ${table} (mxid) WHERE state = 'waiting'`,
    `CREATE INDEX ON ${table} (destination) WHERE state = 'waiting'`,
  ],

  /** It took one at a time. */
  lease: async (now: number, until: number) => {
    const { rows } = await client.query(
      `WITH free AS MATERIALIZED (
        SELECT room_id, token, mxid, proof FROM ${table}
        WHERE state = 'waiting' AND free_at <= $1::double precision
        ORDER BY free_at LIMIT 1 FOR UPDATE SKIP LOCKED
      ), taken AS (
        UPDATE ${table} AS row SET lease = gen_random_uuid(), leased_until = $2::double precision
        FROM free
        WHERE row.room_id = free.room_id AND row.token = free.token AND row.mxid = free.mxid
          AND row.proof = free.proof
        RETURNING row.*
      )
      SELECT room_id, token, mxid, proof, sender, signed, owed_at, due_at, attempts, lease::text AS lease
      FROM taken ORDER BY due_at`,
      [String(now), String(until)],
    );
    return rows[0];
  },

  settle: async (row: Readonly<Record<string, unknown>>): Promise<void> => {
    const { room_id, token, mxid, proof, lease } = row;
    await client.query(
      `WITH locked AS MATERIALIZED (
        SELECT proof, state, lease FROM ${table}
        WHERE room_id = $1::text AND token = $2::text AND mxid = $3::text
        ORDER BY proof COLLATE "C" FOR UPDATE
      ), settled AS MATERIALIZED (
        SELECT proof FROM locked
        WHERE (proof = $4::text OR ($6::text = 'redeemed' AND state = 'waiting'))
          AND EXISTS (SELECT FROM locked AS held WHERE held.proof = $4::text AND held.lease::text = $5::text)
      )
      UPDATE ${table} AS row
      SET state = $6::text, due_at = greatest(row.due_at, NULL::double precision),
        attempts = row.attempts + CASE WHEN $6::text = 'waiting' THEN 1 ELSE 0 END,
        reason = NULL, status = NULL, errcode = NULL, lease = NULL, leased_until = NULL
      FROM settled
      WHERE room_id = $1::text AND token = $2::text AND mxid = $3::text AND row.proof = settled.proof`,
      [...[room_id, token, mxid, proof, lease].map(String), "done"],
    );
  },
});
