import { escapedText } from "../invite/escaped-text.js";
import type { RedemptionId } from "../invite/redemption.js";
import { redemptionRow, tokenColumn, waitingLanes } from "../invite/redemption-row.js";
import type { Redemptions } from "../ports.js";
import {
  type SqlRow,
  laneSizeOf,
  numberOf,
  numberOrNull,
  onlyRow,
  redemptionOf,
  textOf,
} from "../storage/sql-row.js";
import { type Ask, tables } from "./client.js";

const table = tables.redemptions;

const names = [
  "id",
  "token",
  "mxid",
  "destination",
  "lane",
  "place",
  "leaving",
  "at",
  "bytes",
  "record",
] as const;
const columns = names.join(", ");
const newMark = "lower(hex(randomblob(16)))";

/** The columns out of a row in JSON. */
const fromJson = (row: string): string => names.map((name) => `${row} ->> '$.${name}'`).join(", ");

/** A list as a parameter. */
const within = (parameter: string): string => `(SELECT value FROM json_each(${parameter}))`;

/** SQLite answers the rows of an update in any order. */
const inOrderOf =
  (lanes: readonly string[]) =>
  (one: SqlRow, other: SqlRow): number =>
    lanes.indexOf(textOf(one, "lane")) - lanes.indexOf(textOf(other, "lane")) ||
    numberOf(one, "place") - numberOf(other, "place") ||
    (textOf(one, "id") < textOf(other, "id") ? -1 : 1);

/** The `redemptions` port on SQLite. */
export const sqliteRedemptions = (ask: Ask): Redemptions => ({
  put: async (records, options) => {
    const rows = await ask(
      `INSERT INTO ${table} (mark, ${columns})
        SELECT ${newMark}, ${fromJson("value")} FROM json_each(?1) WHERE true
        ON CONFLICT (id) DO NOTHING
        RETURNING id`,
      [JSON.stringify(records.map(redemptionRow))],
      options,
    );
    return rows.map((row) => textOf(row, "id") as RedemptionId);
  },

  line: async ({ lane, mxid }, options) => {
    const rows = await ask(
      `SELECT NULL AS destination, 0 AS row_count, min(place) AS first_turn FROM ${table} WHERE lane = ?1
        UNION ALL
        SELECT destination, count(*), NULL FROM ${table} WHERE lane = ?1 AND mxid = ?2 GROUP BY destination`,
      [lane, escapedText(mxid)],
      options,
    );
    const [first = {}, ...waiting] = rows;
    return {
      firstTurn: numberOrNull(first, "first_turn"),
      waiting: waiting.map((row) => ({
        destination: textOf(row, "destination"),
        rows: numberOf(row, "row_count"),
      })),
    };
  },

  sizes: async ({ lanes, leaving = Number.MAX_VALUE }, options) => {
    const rows = await ask(
      `SELECT lane, count(*) AS row_count, sum(bytes) AS byte_count,
          count(*) FILTER (WHERE leaving <= ?2) AS ahead_rows,
          coalesce(sum(bytes) FILTER (WHERE leaving <= ?2), 0) AS ahead_bytes,
          (SELECT min(at) FROM ${table} AS of WHERE of.lane = ${table}.lane) AS oldest
        FROM ${table} WHERE lane IN ${within("?1")} GROUP BY lane`,
      [JSON.stringify(lanes), leaving],
      options,
    );
    return rows.map(laneSizeOf);
  },

  claim: async ({ lanes, due, until, limit }, options) => {
    const params: (string | number)[] = [due.from, due.to, until, limit];
    const found = lanes.map(({ lane, except }, index) => {
      const p = params.push(lane, JSON.stringify(except)) - 1;
      return `SELECT * FROM (
        SELECT id, place, ${index} AS lane_order FROM ${table}
        WHERE lane = ?${p} AND place <= ?2 AND at BETWEEN ?1 AND ?2
          AND destination NOT IN ${within(`?${p + 1}`)}
        ORDER BY place, id LIMIT ?4
      )`;
    });
    const rows = await ask(
      `UPDATE ${table} SET at = ?3, mark = ${newMark}
        WHERE id IN (
          SELECT id FROM (${found.join(" UNION ALL ")}) ORDER BY lane_order, place, id LIMIT ?4
        )
        RETURNING id, lane, place, record, mark`,
      params,
      options,
    );
    return rows.toSorted(inOrderOf(lanes.map(({ lane }) => lane))).map(redemptionOf);
  },

  replace: async (record, mark, options) => {
    const [row] = await ask(
      `UPDATE ${table} SET (mark, ${columns}) = (SELECT ${newMark}, ${fromJson("?1")})
        WHERE id = ?2 AND mark = ?3
        RETURNING mark`,
      [JSON.stringify(redemptionRow(record)), escapedText(record.id), escapedText(mark)],
      options,
    );
    return row === undefined ? { _tag: "Stale" } : { _tag: "Replaced", mark: textOf(row, "mark") };
  },

  known: async (of, options) => {
    const rows = await ask(
      `SELECT record, mark FROM ${table}
        WHERE token = ?1 AND lane IN ('redeemed', 'announced') ORDER BY at DESC LIMIT 16`,
      [tokenColumn(of)],
      options,
    );
    return rows.map((row) => redemptionOf(row).value);
  },

  list: async ({ lane, after = "", limit }, options) => {
    const rows = await ask(
      `SELECT record, mark FROM ${table} WHERE lane = ?1 AND id > ?2 ORDER BY id LIMIT ?3`,
      [lane, escapedText(after), limit],
      options,
    );
    return rows.map(redemptionOf);
  },

  remove: async (which, options) => {
    const [chosen, params] =
      "endedBefore" in which
        ? [
            `SELECT id FROM ${table} WHERE lane = ?1 AND at < ?2 ORDER BY at LIMIT ?3`,
            [which.lane, which.endedBefore, which.limit],
          ]
        : [
            `SELECT id FROM (
                SELECT id, leaving, row_number() OVER line AS rows, sum(bytes) OVER line AS bytes
                FROM ${table} WHERE lane IN ${within("?1")}
                WINDOW line AS (ORDER BY leaving, id)
              ) WHERE leaving > 0 AND (rows > ?2 OR bytes > ?3)`,
            [JSON.stringify(which.lanes), which.keep.rows, which.keep.bytes],
          ];
    const gone = await ask(`DELETE FROM ${table} WHERE id IN (${chosen}) RETURNING id`, params, options);
    return gone.length;
  },

  nextDueAt: async (options) => {
    const rows = await ask(
      `SELECT min(at) AS next FROM (${waitingLanes
        .map((lane) => `SELECT min(at) AS at FROM ${table} WHERE lane = '${lane}'`)
        .join(" UNION ALL ")})`,
      [],
      options,
    );
    return numberOrNull(onlyRow(rows), "next");
  },
});
