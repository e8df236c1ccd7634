import type { RedemptionId, RedemptionRecord } from "../../invite/redemption.js";
import {
  type Lane,
  type RedemptionRow,
  redemptionRow,
  tokenColumn,
  waitingLanes,
} from "../../invite/redemption-row.js";
import type { LaneSize, Marked, Redemptions } from "../../ports.js";
import { frozenCopy } from "./frozen-copy.js";

/** The queue, and a look into it for tests. */
export interface MemoryRedemptions extends Redemptions {
  /** Every record that is stored, in the order in which it came. */
  readonly all: () => readonly RedemptionRecord[];
}

interface Row extends Marked<RedemptionRecord> {
  readonly columns: RedemptionRow;
}

const sizeOf = (rows: readonly RedemptionRow[]): { readonly rows: number; readonly bytes: number } => ({
  rows: rows.length,
  bytes: rows.reduce((sum, { bytes }) => sum + bytes, 0),
});

/** The least of them; nothing of nothing. */
const leastOf = (numbers: readonly number[]): number | undefined =>
  numbers.length === 0 ? undefined : numbers.reduce((least, one) => Math.min(least, one));

const byId = (one: RedemptionRow, other: RedemptionRow): number =>
  Number(one.id > other.id) - Number(one.id < other.id);

/**
 * The `redemptions` port in memory: it takes nothing, and forgets everything with the process.
 *
 * @example
 * const redemptions = memoryRedemptions();
 * await redemptions.put([record], {});
 * redemptions.all(); // [record]
 */
export const memoryRedemptions = (): MemoryRedemptions => {
  const stored = new Map<string, Row>();
  let marks = 0;

  const newMark = (): string => {
    marks += 1;
    return String(marks);
  };

  /** Throws where the record cannot be stored. */
  const rowOf = (record: RedemptionRecord): Row => {
    const value = frozenCopy(record);
    return { value, columns: redemptionRow(value), mark: newMark() };
  };

  const keep = (row: Row): Row => {
    stored.set(row.value.id, row);
    return row;
  };

  const rowsIn = (lanes: readonly Lane[]): readonly Row[] =>
    [...stored.values()].filter(({ columns }) => lanes.includes(columns.lane));

  const columnsIn = (lanes: readonly Lane[], mxid?: string): readonly RedemptionRow[] =>
    rowsIn(lanes)
      .filter(({ value }) => mxid === undefined || value.mxid === mxid)
      .map(({ columns }) => columns);

  const drop = (rows: readonly RedemptionRow[]): number => {
    for (const { id } of rows) stored.delete(id);
    return rows.length;
  };

  /* eslint-disable @typescript-eslint/require-await -- async turns a throw into the rejection that the contract names */
  return {
    put: async (records) => {
      // All made before any is added: all or nothing.
      const rows = records.map(rowOf);
      const added: RedemptionId[] = [];
      for (const row of rows) if (!stored.has(row.value.id)) added.push(keep(row).value.id);
      return added;
    },
    line: async ({ lane, mxid }) => {
      const waiting = new Map<string, number>();
      for (const { destination } of columnsIn([lane], mxid))
        waiting.set(destination, (waiting.get(destination) ?? 0) + 1);
      return {
        firstTurn: leastOf(columnsIn([lane]).map(({ place }) => place)),
        waiting: [...waiting].map(([destination, rows]) => ({ destination, rows })),
      };
    },
    sizes: async ({ lanes, leaving = Infinity }) =>
      lanes.flatMap((lane): readonly LaneSize[] => {
        const rows = columnsIn([lane]);
        const oldest = leastOf(rows.map(({ at }) => at));
        if (oldest === undefined) return [];
        return [
          { lane, ...sizeOf(rows), ahead: sizeOf(rows.filter((row) => row.leaving <= leaving)), oldest },
        ];
      }),
    claim: async ({ lanes, due, until, limit }) =>
      lanes
        .flatMap(({ lane, except }) =>
          rowsIn([lane])
            .filter(
              ({ columns: { destination, place, at } }) =>
                !except.includes(destination) && place <= due.to && at >= due.from && at <= due.to,
            )
            .sort(
              (one, other) => one.columns.place - other.columns.place || byId(one.columns, other.columns),
            ),
        )
        .slice(0, limit)
        .map(({ value, columns }) => {
          const place = Math.min(columns.place, until);
          const { mark } = keep({ value, columns: { ...columns, place, at: until }, mark: newMark() });
          return { value, mark };
        }),
    replace: async (record, mark) =>
      stored.get(record.id)?.mark === mark
        ? { _tag: "Replaced", mark: keep(rowOf(record)).mark }
        : { _tag: "Stale" },
    known: async (of) => {
      const token = tokenColumn(of);
      return rowsIn(["redeemed", "announced"])
        .filter(({ columns }) => columns.token === token)
        .sort((one, other) => other.columns.at - one.columns.at)
        .slice(0, 16)
        .map(({ value }) => value);
    },
    list: async ({ lane, after = "", limit }) =>
      [...rowsIn([lane])]
        .sort((one, other) => byId(one.columns, other.columns))
        .filter(({ value }) => value.id > after)
        .slice(0, limit)
        .map(({ value, mark }) => ({ value, mark })),
    remove: async (which) => {
      if ("endedBefore" in which)
        return drop(
          columnsIn([which.lane])
            .filter(({ at }) => at < which.endedBefore)
            .slice(0, which.limit),
        );
      const inOrder = [...columnsIn(which.lanes)].sort(
        (one, other) => one.leaving - other.leaving || byId(one, other),
      );
      let rows = 0;
      let bytes = 0;
      return drop(
        inOrder.filter((row) => {
          rows += 1;
          bytes += row.bytes;
          return row.leaving > 0 && (rows > which.keep.rows || bytes > which.keep.bytes);
        }),
      );
    },
    nextDueAt: async () => leastOf(columnsIn(waitingLanes).map(({ at }) => at)),
    all: () => [...stored.values()].map(({ value }) => value),
  };
};
