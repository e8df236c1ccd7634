import { serverOf } from "../matrix/ids.js";
import { isJsonObject } from "../matrix/json.js";
import type { OwedRedemption, PortOptions, RedemptionId, Redemptions, Settlement } from "../ports.js";
import { type PostgresOptions, type SqlClient, type SqlRow, tablesOf } from "./client.js";
import { parseSignedText, signedText, storedText } from "./encoding.js";
import { number, numberOrNull, rawText, roomIdIn, text, userIdIn } from "./row.js";

const readRedemption = (row: SqlRow): OwedRedemption => {
  const signed = parseSignedText(rawText(row, "signed"));
  if (!isJsonObject(signed)) throw new Error("The column signed holds no object.");
  return {
    roomId: roomIdIn(row, "room_id"),
    token: text(row, "token"),
    mxid: userIdIn(row, "mxid"),
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
  sender: storedText(row.sender),
  destination: storedText(serverOf(row.sender)),
  signed: signedText(row.signed),
  owed_at: row.owedAt,
  due_at: row.dueAt,
  attempts: row.attempts,
});

const idParams = ({ roomId, token, mxid }: RedemptionId): string[] => [roomId, token, mxid].map(storedText);

const isRow = "room_id = $1::text AND token = $2::text AND mxid = $3::text";

/** State, due time, reason, status and errcode of a settled row: the parameters $5 to $9. */
const outcomeParams = (settlement: Settlement): (string | null)[] => {
  if (settlement._tag === "Done") return ["done", null, null, null, null];
  const { reason, status, errcode } = settlement;
  const trouble = [storedText(reason), String(status), storedText(errcode)];
  return settlement._tag === "Dead"
    ? ["dead", null, ...trouble]
    : ["waiting", String(settlement.dueAt), ...trouble];
};

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

  return {
    owe: async (rows, given) => {
      // In one order for everybody: two that add the same rows wait for each other at the first, and never in a ring.
      await ask(
        `INSERT INTO ${table} (room_id, token, mxid, sender, destination, signed, owed_at, due_at, attempts)
        SELECT room_id, token, mxid, sender, destination, signed, owed_at, due_at, attempts
        FROM json_to_recordset($1::json) AS owed (
          room_id text, token text, mxid text, sender text, destination text, signed text,
          owed_at double precision, due_at double precision, attempts integer
        )
        ORDER BY room_id COLLATE "C", token COLLATE "C", mxid COLLATE "C"
        ON CONFLICT (room_id, token, mxid) DO NOTHING`,
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
          SELECT room_id, token, mxid FROM ${table}
          WHERE state = 'waiting' AND free_at <= $1::double precision
          ORDER BY free_at
          LIMIT $3::bigint
          FOR UPDATE SKIP LOCKED
        ), taken AS (
          UPDATE ${table} AS row SET lease = gen_random_uuid(), leased_until = $2::double precision
          FROM free
          WHERE row.room_id = free.room_id AND row.token = free.token AND row.mxid = free.mxid
          RETURNING row.*
        )
        SELECT room_id, token, mxid, sender, signed, owed_at, due_at, attempts, lease::text AS lease
        FROM taken ORDER BY due_at`,
        [String(now), String(until), String(limit)],
        given,
      );
      return rows.map((row) => ({ redemption: readRedemption(row), lease: rawText(row, "lease") }));
    },

    settle: async (id, lease, settlement, given) => {
      await ask(
        `UPDATE ${table}
        SET state = $5::text,
          due_at = coalesce($6::double precision, due_at),
          attempts = attempts + CASE WHEN $5::text = 'waiting' THEN 1 ELSE 0 END,
          reason = $7::text, status = $8::integer, errcode = $9::text,
          lease = NULL, leased_until = NULL
        WHERE ${isRow} AND lease::text = $4::text`,
        [...idParams(id), storedText(lease), ...outcomeParams(settlement)],
        given,
      );
    },

    settleInvited: async (id, given) => {
      await ask(
        `UPDATE ${table}
        SET state = 'done', reason = NULL, status = NULL, errcode = NULL, lease = NULL, leased_until = NULL
        WHERE ${isRow} AND sender = $4::text`,
        [...idParams(id), storedText(id.sender)],
        given,
      );
    },

    nextDueAt: async (given) => {
      const [row] = await ask(`SELECT min(free_at) AS next FROM ${table} WHERE state = 'waiting'`, [], given);
      return row === undefined ? undefined : numberOrNull(row, "next");
    },
  };
};
