import { escapedText } from "../invite/escaped-text.js";
import type { RedemptionId } from "../invite/redemption.js";
import { redemptionRow, tokenColumn, waitingLanes } from "../invite/redemption-row.js";
import type { Redemptions } from "../ports.js";
import { laneSizeOf, numberOf, numberOrNull, onlyRow, redemptionOf, textOf } from "../storage/sql-row.js";
import type { Ask } from "./ask.js";

const columns = "id, token, mxid, destination, lane, place, leaving, at, bytes, record";

const types = `id text, token text, mxid text, destination text, lane text, place double precision,
  leaving double precision, at double precision, bytes integer, record text`;

const answer = "record, mark::text AS mark";

/** A number as a parameter; what is infinite stands beyond every time. */
const numberText = (value: number): string =>
  String(Math.min(Math.max(value, -Number.MAX_VALUE), Number.MAX_VALUE));

/** The `redemptions` port on PostgreSQL. */
export const postgresRedemptions = (ask: Ask, table: string): Redemptions => ({
  put: async (records, options) => {
    // In one order in every process: two that put the same rows wait for each other, and never in a circle.
    const rows = await ask(
      `INSERT INTO ${table} (mark, ${columns})
        SELECT gen_random_uuid(), ${columns} FROM json_to_recordset($1::json) AS row (${types}) ORDER BY id
        ON CONFLICT (id) DO NOTHING
        RETURNING id`,
      [JSON.stringify(records.map(redemptionRow))],
      options,
    );
    return rows.map((row) => textOf(row, "id") as RedemptionId);
  },

  line: async ({ lane, mxid }, options) => {
    const rows = await ask(
      `SELECT destination, count(*)::text AS row_count,
          (SELECT place FROM ${table} WHERE lane = $1::text ORDER BY place LIMIT 1) AS first_turn
        FROM ${table}
        WHERE lane = $1::text AND mxid = $2::text AND lane IN ('vouched', 'unvouched')
        GROUP BY GROUPING SETS ((destination), ())`,
      [lane, escapedText(mxid)],
      options,
    );
    const [row = {}] = rows;
    return {
      firstTurn: numberOrNull(row, "first_turn"),
      waiting: rows.flatMap((of) =>
        of["destination"] === null
          ? []
          : [{ destination: textOf(of, "destination"), rows: numberOf(of, "row_count") }],
      ),
    };
  },

  sizes: async ({ lanes, leaving = Infinity }, options) => {
    const rows = await ask(
      `SELECT size.*, (SELECT at FROM ${table} WHERE lane = size.lane ORDER BY at LIMIT 1) AS oldest
        FROM (
          SELECT lane, count(*)::text AS row_count, sum(bytes)::text AS byte_count,
            count(*) FILTER (WHERE leaving <= $2::double precision)::text AS ahead_rows,
            coalesce(sum(bytes) FILTER (WHERE leaving <= $2::double precision), 0)::text AS ahead_bytes
          FROM ${table}
          WHERE lane IN (SELECT json_array_elements_text($1::json))
          GROUP BY lane
        ) AS size`,
      [JSON.stringify(lanes), numberText(leaving)],
      options,
    );
    return rows.map(laneSizeOf);
  },

  claim: async ({ lanes, due, until, limit }, options) => {
    const params = [numberText(due.from), numberText(due.to), numberText(until), String(limit)];
    // Each lane is looked at only for what the lanes before it have not filled.
    const found = lanes.map(({ lane, except }, index) => {
      const before = Array.from({ length: index }, (_, at) => ` - (SELECT count(*) FROM lane${at})`).join("");
      const p = params.push(lane, JSON.stringify(except)) - 1;
      return `lane${index} AS MATERIALIZED (
        SELECT id, ${index} AS lane_order FROM ${table}
        WHERE lane = $${p}::text AND place <= $2::double precision
          AND at BETWEEN $1::double precision AND $2::double precision
          AND destination NOT IN (SELECT json_array_elements_text($${p + 1}::json))
        ORDER BY place, id LIMIT greatest($4::bigint${before}, 0)
        FOR UPDATE SKIP LOCKED
      )`;
    });
    const all = lanes.map((_, index) => `SELECT id, lane_order FROM lane${index}`).join(" UNION ALL ");
    const rows = await ask(
      `WITH ${found.join(", ")}, claimed AS (
          UPDATE ${table} AS row SET at = $3::double precision, mark = gen_random_uuid()
          FROM (${all}) AS free
          WHERE row.id = free.id
          RETURNING row.id, row.place, record, mark::text AS mark, lane_order
        )
        SELECT record, mark FROM claimed ORDER BY lane_order, place, id`,
      params,
      options,
    );
    return rows.map(redemptionOf);
  },

  replace: async (record, mark, options) => {
    const [row] = await ask(
      `UPDATE ${table} AS row SET (mark, ${columns}) = (SELECT gen_random_uuid(), ${columns}
          FROM json_to_record($1::json) AS given (${types}))
        WHERE row.id = $2::text AND row.mark::text = $3::text
        RETURNING mark::text AS mark`,
      [JSON.stringify(redemptionRow(record)), escapedText(record.id), escapedText(mark)],
      options,
    );
    return row === undefined ? { _tag: "Stale" } : { _tag: "Replaced", mark: textOf(row, "mark") };
  },

  known: async (of, options) => {
    const rows = await ask(
      `SELECT ${answer} FROM ${table}
        WHERE token = $1::text AND lane IN ('redeemed', 'announced') ORDER BY at DESC LIMIT 16`,
      [tokenColumn(of)],
      options,
    );
    return rows.map((row) => redemptionOf(row).value);
  },

  list: async ({ lane, after = "", limit }, options) => {
    const rows = await ask(
      `SELECT ${answer} FROM ${table} WHERE lane = $1::text AND id > $2::text ORDER BY id LIMIT $3::bigint`,
      [lane, escapedText(after), String(limit)],
      options,
    );
    return rows.map(redemptionOf);
  },

  remove: async (which, options) => {
    const [chosen, params] =
      "endedBefore" in which
        ? [
            `SELECT id FROM ${table} WHERE lane = $1::text AND at < $2::double precision
              ORDER BY at LIMIT $3::bigint`,
            [which.lane, numberText(which.endedBefore), String(which.limit)],
          ]
        : [
            `SELECT id FROM (
                SELECT id, leaving, row_number() OVER line AS rows, sum(bytes) OVER line AS bytes
                FROM ${table} WHERE lane IN (SELECT json_array_elements_text($1::json))
                WINDOW line AS (ORDER BY leaving, id)
              ) AS line
              WHERE leaving > 0 AND (rows > $2::double precision OR bytes > $3::double precision)`,
            [JSON.stringify(which.lanes), numberText(which.keep.rows), numberText(which.keep.bytes)],
          ];
    // What somebody else removes or claims at this moment is left to them.
    const rows = await ask(
      `WITH gone AS (
          DELETE FROM ${table}
          WHERE id IN (SELECT id FROM ${table} WHERE id IN (${chosen}) FOR UPDATE SKIP LOCKED)
          RETURNING id
        )
        SELECT count(*)::text AS row_count FROM gone`,
      params,
      options,
    );
    return numberOf(onlyRow(rows), "row_count");
  },

  nextDueAt: async (options) => {
    const rows = await ask(
      `SELECT min(first.at) AS next FROM (VALUES ${waitingLanes.map((lane) => `('${lane}')`).join(", ")}) AS lanes (lane)
        CROSS JOIN LATERAL (SELECT at FROM ${table} WHERE lane = lanes.lane ORDER BY at LIMIT 1) AS first`,
      [],
      options,
    );
    return numberOrNull(onlyRow(rows), "next");
  },
});
