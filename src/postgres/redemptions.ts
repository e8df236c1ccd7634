import { serverOf } from "../matrix/ids.js";
import { isJsonObject } from "../matrix/json.js";
import type {
  OwedRedemption,
  PortOptions,
  Redemptions,
  Settlement,
  TokenOfUser,
  FailureDetails,
} from "../ports.js";
import { type PostgresOptions, type SqlClient, type SqlRow, tablesOf } from "./client.js";
import { parseSignedText, signedText, storedText } from "./encoding.js";
import { number, numberOrNull, rawText, roomIdIn, text, userIdIn } from "./row.js";

const columns = "room_id, token, mxid, proof, sender, signed, owed_at, due_at, attempts";

const readRedemption = (row: SqlRow): OwedRedemption => {
  const signed = parseSignedText(rawText(row, "signed"));
  if (!isJsonObject(signed)) throw new Error("The column signed holds no object.");
  return {
    roomId: roomIdIn(row, "room_id"),
    token: text(row, "token"),
    mxid: userIdIn(row, "mxid"),
    proof: text(row, "proof"),
    sender: userIdIn(row, "sender"),
    signed,
    owedAt: number(row, "owed_at"),
    dueAt: number(row, "due_at"),
    attempts: number(row, "attempts"),
  };
};

/** A row as `owe` sends it: all rows in one parameter, since a statement takes no more than 65,535. */
const written = (row: OwedRedemption) => ({
  room_id: storedText(row.roomId),
  token: storedText(row.token),
  mxid: storedText(row.mxid),
  proof: storedText(row.proof),
  sender: storedText(row.sender),
  destination: storedText(serverOf(row.sender)),
  signed: signedText(row.signed),
  owed_at: row.owedAt,
  due_at: row.dueAt,
  attempts: row.attempts,
});

const tokenParams = ({ roomId, token, mxid }: TokenOfUser): string[] => [roomId, token, mxid].map(storedText);

const isOfToken = "room_id = $1::text AND token = $2::text AND mxid = $3::text";

/** State, due time, reason, status and errcode of a settled row: the parameters $6 to $10. */
const outcomeParams = (settlement: Settlement): (string | null)[] => {
  switch (settlement._tag) {
    case "Redeemed":
      return ["redeemed", null, null, null, null];
    case "Done":
      return ["done", null, null, null, null];
    case "Dead":
      return ["dead", null, ...troubleParams(settlement)];
    case "Again":
      return ["waiting", String(settlement.dueAt), ...troubleParams(settlement)];
  }
};

const troubleParams = ({ reason, status, errcode }: FailureDetails): string[] => [
  storedText(reason),
  String(status),
  storedText(errcode),
];

/**
 * The `redemptions` port on PostgreSQL 13 or later, over one statement for each call. `migrate` makes its table. Rows are
 * never deleted. What stood in the way of a row that waits or is dead stands in its columns `reason`, `status`, `errcode`.
 *
 * @example
 * const redemptions = postgresRedemptions(new Pool({ connectionString }));
 * await redemptions.owe([row], {});
 * const [held] = await redemptions.lease({ now, until: now + 60_000, limit: 1 }, {});
 */
export const postgresRedemptions = (client: SqlClient, options: PostgresOptions = {}): Redemptions => {
  const { redemptions: table } = tablesOf(options);

  const ask = async (
    statement: string,
    params: (string | null)[],
    { signal }: PortOptions,
  ): Promise<readonly SqlRow[]> => {
    signal?.throwIfAborted();
    return (await client.query(statement, params)).rows;
  };

  /**
   * The rows of a token, as they are once this statement alone may change them. All are locked before the first is
   * changed, in one order for everybody: else two that settle rows of one token wait for each other's.
   */
  const locked = (more: string): string =>
    `locked AS MATERIALIZED (
          SELECT proof, state, lease FROM ${table}
          WHERE ${isOfToken} ${more}
          ORDER BY proof COLLATE "C"
          FOR UPDATE
        )`;

  return {
    owe: async (rows, given) => {
      // In one order for everybody: two that add the same rows wait for each other at the first, and never in a ring.
      await ask(
        `INSERT INTO ${table} (${columns}, destination)
        SELECT ${columns}, destination FROM json_to_recordset($1::json) AS owed (
          room_id text, token text, mxid text, proof text, sender text, destination text, signed text,
          owed_at double precision, due_at double precision, attempts integer
        )
        WHERE NOT EXISTS (
          SELECT FROM ${table} AS redeemed
          WHERE redeemed.room_id = owed.room_id AND redeemed.token = owed.token AND redeemed.mxid = owed.mxid
            AND redeemed.state = 'redeemed'
        )
        ORDER BY room_id COLLATE "C", token COLLATE "C", mxid COLLATE "C", proof COLLATE "C"
        ON CONFLICT (room_id, token, mxid, proof) DO NOTHING`,
        [JSON.stringify(rows.map(written))],
        given,
      );
    },

    countWaiting: async (of, given) => {
      const [column, value] = "mxid" in of ? ["mxid", of.mxid] : ["destination", of.destination];
      const [row] = await ask(
        `SELECT count(*) AS waiting FROM ${table} WHERE state = 'waiting' AND ${column} = $1::text`,
        [storedText(value)],
        given,
      );
      if (row === undefined) throw new Error("The database did not say how many wait.");
      return number(row, "waiting");
    },

    lease: async ({ now, until, limit }, given) => {
      const rows = await ask(
        `WITH free AS MATERIALIZED (
          SELECT room_id, token, mxid, proof FROM ${table}
          WHERE state = 'waiting' AND free_at <= $1::double precision
          ORDER BY free_at
          LIMIT $3::bigint
          FOR UPDATE SKIP LOCKED
        ), taken AS (
          UPDATE ${table} AS row SET lease = gen_random_uuid(), leased_until = $2::double precision
          FROM free
          WHERE row.room_id = free.room_id AND row.token = free.token AND row.mxid = free.mxid
            AND row.proof = free.proof
          RETURNING row.*
        )
        SELECT ${columns}, lease::text AS lease
        FROM taken ORDER BY due_at`,
        [String(now), String(until), String(limit)],
        given,
      );
      return rows.map((row) => ({ redemption: readRedemption(row), lease: rawText(row, "lease") }));
    },

    settle: async (id, lease, settlement, given) => {
      await ask(
        `WITH ${locked("")}, settled AS MATERIALIZED (
          SELECT proof FROM locked
          WHERE (proof = $4::text OR ($6::text = 'redeemed' AND state = 'waiting'))
            AND EXISTS (SELECT FROM locked AS held WHERE held.proof = $4::text AND held.lease::text = $5::text)
        )
        UPDATE ${table} AS row
        SET state = $6::text,
          due_at = greatest(row.due_at, $7::double precision),
          attempts = row.attempts + CASE WHEN $6::text = 'waiting' THEN 1 ELSE 0 END,
          reason = $8::text, status = $9::integer, errcode = $10::text,
          lease = NULL, leased_until = NULL
        FROM settled
        WHERE ${isOfToken} AND row.proof = settled.proof`,
        [...tokenParams(id), storedText(id.proof), storedText(lease), ...outcomeParams(settlement)],
        given,
      );
    },

    postpone: async (id, dueAt, given) => {
      await ask(
        `WITH ${locked("AND sender = $4::text AND state = 'waiting'")}
        UPDATE ${table} AS row SET due_at = greatest(row.due_at, $5::double precision)
        FROM locked
        WHERE ${isOfToken} AND row.proof = locked.proof`,
        [...tokenParams(id), storedText(id.sender), String(dueAt)],
        given,
      );
    },

    nextDueAt: async (given) => {
      const [row] = await ask(`SELECT min(free_at) AS next FROM ${table} WHERE state = 'waiting'`, [], given);
      return row === undefined ? undefined : numberOrNull(row, "next");
    },
  };
};
