import { escapedText } from "../../invite/escaped-text.js";
import { type Lane, redemptionRow, tokenColumn, waitingLanes } from "../../invite/redemption-row.js";
import type { LaneSize, Redemptions, RemoveQuestion } from "../../ports.js";
import { readRedemption } from "../read-redemption.js";
import { askMarked, markedBy, replaceRow } from "./marked.js";
import { waits } from "./migrations.js";
import { type SqlRow, number, numberOrNull, text } from "./row.js";
import { type Database, type Sql, limitTo, listed, sql, written } from "./statement.js";

const isIn = (lanes: readonly Lane[]): Sql => sql`lane IN (${listed(lanes)})`;

const sizeOf = (row: SqlRow, lane: Lane): LaneSize => ({
  lane,
  rows: number(row, "rows_in"),
  bytes: number(row, "bytes_in"),
  ahead: { rows: number(row, "rows_ahead"), bytes: number(row, "bytes_ahead") },
  oldest: number(row, "oldest"),
});

/** Of one user, or of all. */
const isOf = (mxid: string | undefined): Sql =>
  mxid === undefined ? sql`` : sql`AND mxid = ${escapedText(mxid)}`;

export const sqlRedemptions = (database: Database): Redemptions => {
  const { dialect, ask, prefix } = database;
  const { newMark, items, texts, least, isAmong, skipLocked } = dialect;
  const table = written(`${prefix}third_party_redemptions`);
  const replace = replaceRow(database, table);

  /** Removes rows that are still in their lane once nobody else is changing them. */
  const without = (ids: Sql, lanes: readonly Lane[]): Sql =>
    sql`DELETE FROM ${table} WHERE ${isAmong(
      written("id"),
      sql`SELECT id FROM ${table} WHERE ${isAmong(written("id"), ids)} AND ${isIn(lanes)} ${skipLocked}`,
    )} RETURNING id`;

  const removal = (which: RemoveQuestion): Sql => {
    if ("endedBefore" in which)
      return without(
        sql`SELECT id FROM ${table} WHERE lane = ${which.lane} AND at < ${which.endedBefore} ${limitTo(which.limit)}`,
        [which.lane],
      );
    const { lanes, mxid, keep } = which;
    return without(
      sql`SELECT id FROM (
        SELECT id, leaving, count(*) OVER ahead AS rows_ahead, sum(bytes) OVER ahead AS bytes_ahead
        FROM ${table} WHERE ${isIn(lanes)} ${isOf(mxid)}
        WINDOW ahead AS (ORDER BY leaving, id ROWS UNBOUNDED PRECEDING)
      ) AS counted
      WHERE leaving > 0 AND (rows_ahead > ${keep.rows} OR bytes_ahead > ${keep.bytes})`,
      lanes,
    );
  };

  return {
    put: async (records, given) => {
      // In one order for everybody: two that put the same rows wait for each other at the first, and never in a ring.
      const rows = records.map(redemptionRow).sort((one, other) => (one.id < other.id ? -1 : 1));
      const added = await ask(
        sql`INSERT INTO ${table} (id, token, mxid, destination, lane, place, leaving, at, bytes, record, mark)
        SELECT value ->> 'id', value ->> 'token', value ->> 'mxid', value ->> 'destination', value ->> 'lane',
          CAST(value ->> 'place' AS double precision), CAST(value ->> 'leaving' AS double precision),
          CAST(value ->> 'at' AS double precision), CAST(value ->> 'bytes' AS double precision),
          value ->> 'record', ${newMark}
        FROM ${items(sql`${JSON.stringify(rows)}`)} WHERE true
        ON CONFLICT (id) DO NOTHING
        RETURNING id`,
        given,
      );
      const ids = new Set(added.map((row) => text(row, "id")));
      return records.map(({ id }) => id).filter((id) => ids.delete(id));
    },

    line: async ({ lane, mxid }, given) => {
      const rows = await ask(
        sql`SELECT destination, count(*) AS amount FROM ${table}
        WHERE lane = ${lane} AND mxid = ${escapedText(mxid)} GROUP BY destination
        UNION ALL
        SELECT NULL, min(place) FROM ${table} WHERE ${written(waits)} AND lane = ${lane}`,
        given,
      );
      const first = rows.find((row) => row["destination"] === null);
      return {
        firstTurn: first === undefined ? undefined : numberOrNull(first, "amount"),
        waiting: rows
          .filter((row) => row !== first)
          .map((row) => ({ destination: text(row, "destination"), rows: number(row, "amount") })),
      };
    },

    sizes: async ({ lanes, mxid, leaving = Infinity }, given) => {
      const rows = await ask(
        sql`SELECT lane, count(*) AS rows_in, sum(bytes) AS bytes_in,
          (SELECT min(at) FROM ${table} AS same WHERE same.lane = line.lane ${isOf(mxid)}) AS oldest,
          sum(CASE WHEN leaving <= ${leaving} THEN 1 ELSE 0 END) AS rows_ahead,
          sum(CASE WHEN leaving <= ${leaving} THEN bytes ELSE 0 END) AS bytes_ahead
        FROM ${table} AS line WHERE ${isIn(lanes)} ${isOf(mxid)} GROUP BY lane`,
        given,
      );
      return lanes.flatMap((lane) =>
        rows.filter((row) => row["lane"] === lane).map((row) => sizeOf(row, lane)),
      );
    },

    claim: async ({ lanes, due, until, limit }, given) => {
      if (lanes.length === 0) return [];
      // Each lane is looked into only where those before it have too few.
      const free = lanes.map(
        ({ lane, except }, index) => sql`SELECT id FROM (
          SELECT id FROM ${table}
          WHERE ${written(waits)} AND lane = ${lane} AND place <= ${due.to} AND at BETWEEN ${due.from} AND ${due.to}
            AND destination NOT IN (${texts(sql`${JSON.stringify(except)}`)})
          ORDER BY place, id ${limitTo(limit)} ${skipLocked}
        ) AS ${written(`lane_${index}`)}`,
      );
      const rows = await ask(
        sql`UPDATE ${table} SET at = ${until}, place = ${least}(place, ${until}), mark = ${newMark}
        WHERE ${isAmong(written("id"), sql`${listed(free, " UNION ALL ")} ${limitTo(limit)}`)}
        RETURNING id, lane, place, record, mark`,
        given,
      );
      const rank = (row: SqlRow): number => lanes.findIndex(({ lane }) => lane === row["lane"]);
      // They come back in no order.
      return [...rows]
        .sort(
          (one, other) =>
            rank(one) - rank(other) ||
            number(one, "place") - number(other, "place") ||
            (text(one, "id") < text(other, "id") ? -1 : 1),
        )
        .map(markedBy(readRedemption));
    },

    replace: (record, mark, given) => replace({ ...redemptionRow(record) }, mark, given),

    known: async (of, given) => {
      const rows = await ask(
        sql`SELECT record FROM ${table} WHERE token = ${tokenColumn(of)} AND lane IN ('redeemed', 'announced')
        ORDER BY at DESC LIMIT 16`,
        given,
      );
      return rows.map((row) => readRedemption(text(row, "record")));
    },

    list: ({ lane, after = "", limit }, given) =>
      askMarked(database, readRedemption)(
        sql`SELECT record, mark FROM ${table} WHERE lane = ${lane} AND id > ${after} ORDER BY id ${limitTo(limit)}`,
        given,
      ),

    remove: async (which, given) => (await ask(removal(which), given)).length,

    nextDueAt: async (given) => {
      const first = waitingLanes.map((lane) => sql`SELECT min(at) AS due FROM ${table} WHERE lane = ${lane}`);
      const [row] = await ask(
        sql`SELECT min(due) AS due FROM (${listed(first, " UNION ALL ")}) AS lanes`,
        given,
      );
      return row && numberOrNull(row, "due");
    },
  };
};
