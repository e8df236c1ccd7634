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

const sizeOf = (rows: readonly Row[]): { readonly rows: number; readonly bytes: number } => ({
  rows: rows.length,
  bytes: rows.reduce((sum, { columns }) => sum + columns.bytes, 0),
});

/** The least `at` of them; nothing of nothing. */
const leastAt = (rows: readonly Row[]): number | undefined =>
  rows.length === 0 ? undefined : rows.reduce((least, { columns }) => Math.min(least, columns.at), Infinity);

type Order = (one: RedemptionRow, other: RedemptionRow) => number;

const byId: Order = (one, other) => Number(one.id > other.id) - Number(one.id < other.id);
const byPlace: Order = (one, other) => one.place - other.place || byId(one, other);
const byLeaving: Order = (one, other) => one.leaving - other.leaving || byId(one, other);

const sorted = (rows: readonly Row[], order: Order): Row[] =>
  [...rows].sort((one, other) => order(one.columns, other.columns));

/** Where a row stands among rows by place, or where it belongs. */
const indexOf = (rows: readonly Row[], columns: RedemptionRow): number => {
  let [from, to] = [0, rows.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    const row = rows[middle];
    if (row !== undefined && byPlace(row.columns, columns) < 0) from = middle + 1;
    else to = middle;
  }
  return from;
};

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
  /** The rows of each lane by place. */
  const lanes = new Map<Lane, Row[]>();
  let marks = 0;

  const newMark = (): string => {
    marks += 1;
    return String(marks);
  };

  /** Throws where the record cannot be stored. */
  const rowOf = (record: RedemptionRecord): Row => {
    return { value: frozenCopy(record), columns: redemptionRow(record), mark: newMark() };
  };

  const rowsOf = (lane: Lane): Row[] => {
    const rows = lanes.get(lane) ?? [];
    lanes.set(lane, rows);
    return rows;
  };

  const takeOut = ({ columns }: Row): void => {
    const rows = rowsOf(columns.lane);
    rows.splice(indexOf(rows, columns), 1);
  };

  const keep = (row: Row): Row => {
    const before = stored.get(row.value.id);
    if (before !== undefined) takeOut(before);
    stored.set(row.value.id, row);
    const rows = rowsOf(row.columns.lane);
    rows.splice(indexOf(rows, row.columns), 0, row);
    return row;
  };

  const rowsIn = (names: readonly Lane[], mxid?: string): readonly Row[] =>
    names.flatMap(rowsOf).filter(({ value }) => mxid === undefined || value.mxid === mxid);

  const drop = (rows: readonly Row[]): number => {
    for (const row of rows) {
      takeOut(row);
      stored.delete(row.value.id);
    }
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
      for (const { columns } of rowsIn([lane], mxid))
        waiting.set(columns.destination, (waiting.get(columns.destination) ?? 0) + 1);
      return {
        firstTurn: rowsOf(lane)[0]?.columns.place,
        waiting: [...waiting].map(([destination, rows]) => ({ destination, rows })),
      };
    },
    sizes: async ({ lanes: names, mxid, leaving = Infinity }) =>
      names.flatMap((lane): readonly LaneSize[] => {
        const rows = rowsIn([lane], mxid);
        const oldest = leastAt(rows);
        if (oldest === undefined) return [];
        const ahead = sizeOf(rows.filter(({ columns }) => columns.leaving <= leaving));
        return [{ lane, ...sizeOf(rows), ahead, oldest }];
      }),
    claim: async ({ lanes: asked, due, until, limit }) => {
      const free: Row[] = [];
      for (const { lane, except } of asked)
        for (const row of rowsOf(lane)) {
          const { destination, place, at } = row.columns;
          if (free.length >= limit || place > due.to) break;
          if (at >= due.from && at <= due.to && !except.includes(destination)) free.push(row);
        }
      return free.map(({ value, columns }) => {
        const place = Math.min(columns.place, until);
        const { mark } = keep({ value, columns: { ...columns, place, at: until }, mark: newMark() });
        return { value, mark };
      });
    },
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
      sorted(
        rowsOf(lane).filter(({ value }) => value.id > after),
        byId,
      )
        .slice(0, limit)
        .map(({ value, mark }) => ({ value, mark })),
    remove: async (which) => {
      if ("endedBefore" in which)
        return drop(
          rowsOf(which.lane)
            .filter(({ columns }) => columns.at < which.endedBefore)
            .slice(0, which.limit),
        );
      let rows = 0;
      let bytes = 0;
      return drop(
        sorted(rowsIn(which.lanes, which.mxid), byLeaving).filter(({ columns }) => {
          rows += 1;
          bytes += columns.bytes;
          return columns.leaving > 0 && (rows > which.keep.rows || bytes > which.keep.bytes);
        }),
      );
    },
    nextDueAt: async () => leastAt(rowsIn(waitingLanes)),
    all: () => [...stored.values()].map(({ value }) => value),
  };
};
