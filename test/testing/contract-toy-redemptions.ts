import type { RedemptionRecord, WaitingRedemption } from "../../src/invite/redemption.js";
import {
  type RedemptionRow,
  redemptionRow,
  tokenColumn,
  waitingLanes,
} from "../../src/invite/redemption-row.js";
import type { LaneSize, Redemptions } from "../../src/ports.js";
import { readRedemption } from "../../src/storage/index.js";
import type { Fault } from "./contract-faults.js";
import { type ToyRow, type ToyState, nextMark, soon } from "./contract-toy-state.js";

/** A copy that takes `__proto__` for the prototype, as an assignment does. */
const copied = (signed: object): Record<string, unknown> => {
  const copy: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(signed)) copy[key] = value;
  return copy;
};

const withSigned = (record: RedemptionRecord, change: (signed: object) => object): RedemptionRecord =>
  "signed" in record.state
    ? { ...record, state: { ...record.state, signed: { ...change(record.state.signed) } } }
    : record;

/** The queue of the toy, but for one fault. */
export const toyRedemptions = (state: ToyState, fault?: Fault): Redemptions => {
  const is = (one: Fault): boolean => fault === one;
  const { rows } = state;
  const isWaiting = ({ lane }: RedemptionRow): boolean => waitingLanes.some((one) => one === lane);

  const markAfter = (before: ToyRow | undefined): string =>
    is("marks count for each row") ? String(Number(before?.mark ?? 0) + 1) : nextMark(state);

  const made = (record: RedemptionRecord): RedemptionRow => {
    if (is("put refuses a NUL") && record.token.includes("\0")) throw new Error("invalid byte sequence");
    if (is("signed loses __proto__")) return redemptionRow(withSigned(record, copied));
    if (is("signed is JSON of the driver's own"))
      return redemptionRow(withSigned(record, (signed) => JSON.parse(JSON.stringify(signed)) as object));
    return redemptionRow(record);
  };

  const write = (columns: RedemptionRow, record?: RedemptionRecord, isClaimed = false): string => {
    const before = rows.get(columns.id);
    const mark = markAfter(before);
    rows.set(columns.id, {
      columns,
      mark,
      isClaimed,
      ...(is("put keeps the caller's own object") ? { own: record ?? before?.own } : {}),
    });
    return mark;
  };

  const read = ({ columns, own }: ToyRow): RedemptionRecord =>
    (own as RedemptionRecord | undefined) ?? readRedemption(columns.record);

  const marked = (row: ToyRow) => ({ value: read(row), mark: row.mark });

  const where = (holds: (columns: RedemptionRow) => boolean): ToyRow[] =>
    [...rows.values()].filter(({ columns }) => holds(columns));

  const isOf = (mxid: string | undefined, one: RedemptionRow): boolean =>
    mxid === undefined || one.mxid === mxid;

  const add = (columns: RedemptionRow, record: RedemptionRecord): boolean => {
    const standing = rows.get(columns.id)?.columns;
    const isKept =
      standing !== undefined &&
      !(is("put overwrites what waits") && isWaiting(standing)) &&
      !(is("put revives what has ended") && !isWaiting(standing));
    if (!isKept) write(columns, record);
    return standing === undefined || is("put says that every row is new");
  };

  const same = (one: string, other: string): boolean =>
    is("claim compares ends of names") ? one.endsWith(other) : one === other;

  const isFree = (
    { columns: { at, place }, isClaimed }: ToyRow,
    due: { from: number; to: number },
  ): boolean => {
    if (is("claim looks at the place only")) return place <= due.to;
    if (is("a claim never ends") && isClaimed === true) return false;
    const isDue = is("a claim ends after `until`") ? at < due.to : at <= due.to;
    if (place > due.to) return false;
    return isDue && (at >= due.from || is("claim ignores due.from"));
  };

  const sum = (columns: readonly RedemptionRow[]) => ({
    rows: columns.length,
    bytes: columns.reduce((bytes, one) => bytes + one.bytes, 0),
  });

  return {
    put: async (records) => {
      if (!is("put adds one by one")) await soon();
      if (is("put takes 500 rows") && records.length > 500) throw new Error("too many parameters");
      if (is("put takes no empty list") && records.length === 0) throw new Error("a syntax error");
      if (is("put fails where another adds the row meanwhile")) {
        const fresh = records.filter(({ id }) => !rows.has(id));
        await soon();
        if (fresh.some(({ id }) => rows.has(id))) throw new Error("a duplicate key");
      }
      if (is("put is new to all that race")) {
        const fresh = [...new Set(records.map(({ id }) => id))].filter((id) => !rows.has(id));
        await soon();
        for (const record of records) add(made(record), record);
        return fresh;
      }
      if (is("put adds one by one"))
        for (const record of records.slice(0, -1)) {
          add(made(record), record);
          await soon();
        }
      const taken =
        is("put loses the last row of many") && records.length > 5 ? records.slice(0, -1) : records;
      const all = taken.map((record) => [made(record), record] as const);
      return all.filter(([columns, record]) => add(columns, record)).map(([, { id }]) => id);
    },
    line: async ({ lane, mxid }) => {
      await soon();
      const all = where((one) => one.lane === lane).filter(
        ({ isClaimed }) => isClaimed !== true || !is("line leaves out what is claimed"),
      );
      const own = all.filter(({ columns }) => is("line counts all users") || columns.mxid === mxid);
      const turns = (is("firstTurn is the user's own") ? own : all).map(({ columns }) => columns.place);
      const waiting = new Map<string, number>();
      for (const { columns } of own) {
        const name = is("line has no case") ? columns.destination.toLowerCase() : columns.destination;
        waiting.set(name, (waiting.get(name) ?? 0) + 1);
      }
      return {
        firstTurn: turns.length === 0 ? undefined : Math.min(...turns),
        waiting: [...waiting].map(([destination, count]) => ({ destination, rows: count })),
      };
    },
    sizes: async ({ lanes, mxid, leaving = Infinity }) => {
      await soon();
      return lanes.flatMap((lane): readonly LaneSize[] => {
        const columns = where(
          (one) => one.lane === lane && (isOf(mxid, one) || is("sizes of a user are of all")),
        ).map((row) => row.columns);
        if (columns.length === 0 && !is("sizes has lanes without rows")) return [];
        const ahead = columns.filter((one) =>
          is("sizes leaves the row itself out of `ahead`") ? one.leaving < leaving : one.leaving <= leaving,
        );
        const oldest = Math.min(...columns.map(({ at, place }) => (is("sizes ignores claims") ? place : at)));
        return [{ lane, ...sum(columns), ahead: sum(ahead), oldest }];
      });
    },
    claim: async ({ lanes, due, until, limit }) => {
      await soon();
      const isIn = (one: RedemptionRow, lane: string): boolean =>
        one.lane === lane || (is("claim takes the tried ones too") && one.lane === `${lane}-again`);
      const everywhere = lanes.flatMap(({ except }) => except);
      const free = lanes
        .flatMap(({ lane, except }) => {
          const names = is("claim leaves a server out of all lanes") ? everywhere : except;
          const inLane = where(
            (one) => isIn(one, lane) && !names.some((name) => same(one.destination, name)),
          ).filter((row) => isFree(row, due));
          if (is("claim takes what was put first")) return inLane;
          return inLane.sort((one, other) => one.columns.place - other.columns.place);
        })
        .slice(0, is("claim ignores the limit") ? undefined : limit);
      if (is("claim looks, and takes later") || is("claim is empty where others claim")) await soon();
      return free
        .filter(
          (row) => !is("claim is empty where others claim") || rows.get(row.columns.id)?.mark === row.mark,
        )
        .map((row) => {
          const value = read(row);
          if (is("claim holds nothing")) return marked(row);
          if (is("claim changes the record")) {
            const put = { ...(value.state as WaitingRedemption), dueAt: until };
            return { value, mark: write(redemptionRow({ ...value, state: put })) };
          }
          const { place } = row.columns;
          const columns = {
            ...row.columns,
            at: until,
            place: is("claim leaves the place of what a clock put off") ? place : Math.min(place, until),
          };
          if (is("claim keeps the mark")) {
            rows.set(columns.id, { ...row, columns });
            return { value, mark: row.mark };
          }
          return { value, mark: write(columns, undefined, true) };
        });
    },
    replace: async (record, mark) => {
      await soon();
      const standing = rows.get(record.id);
      const isAllowed =
        standing === undefined
          ? is("replace puts a redemption")
          : standing.mark === mark || is("replace of a redemption does not compare");
      if (is("replace of a redemption compares, and stores later")) await soon();
      if (!isAllowed) return { _tag: "Stale" };
      const columns = redemptionRow(record);
      if (is("replace leaves the mark of a redemption")) {
        rows.set(record.id, { columns, mark });
        return { _tag: "Replaced", mark };
      }
      if (standing !== undefined && is("replace leaves the row where it is"))
        return { _tag: "Replaced", mark: write({ ...standing.columns, record: columns.record }) };
      if (standing !== undefined && is("replace leaves the claim"))
        return {
          _tag: "Replaced",
          mark: write({ ...columns, at: Math.max(columns.at, standing.columns.at) }),
        };
      return { _tag: "Replaced", mark: write(columns) };
    },
    known: async (of) => {
      await soon();
      const wanted = tokenColumn(of);
      const isKnown = ({ lane, token, mxid }: RedemptionRow): boolean => {
        if (!["redeemed", "announced", ...(is("known knows what is done") ? ["done"] : [])].includes(lane))
          return false;
        if (is("known has no case")) return token.toLowerCase() === wanted.toLowerCase();
        if (is("known knows all users")) return token.startsWith(wanted.slice(0, wanted.lastIndexOf(",")));
        return token === wanted && mxid !== "";
      };
      const newest = is("known has the oldest") ? -1 : 1;
      return where(isKnown)
        .sort((one, other) => newest * (other.columns.at - one.columns.at))
        .slice(0, is("known has them all") ? undefined : 16)
        .map(read);
    },
    list: async ({ lane, after = "", limit }) => {
      await soon();
      const order = new Intl.Collator("en");
      return where((one) => one.lane === lane)
        .sort(({ columns: { id: one } }, { columns: { id: other } }) =>
          is("list of redemptions has the order of a language")
            ? order.compare(one, other)
            : Number(one > other) * 2 - 1,
        )
        .filter(({ columns: { id } }) =>
          is("list begins with `after`") && after !== "" ? id >= after : id > after,
        )
        .slice(0, limit)
        .map(marked);
    },
    remove: async (which) => {
      await soon();
      const drop = (all: readonly ToyRow[]): number => {
        for (const { columns } of all) rows.delete(columns.id);
        return all.length;
      };
      if ("endedBefore" in which)
        return drop(
          where(
            ({ lane, at }) =>
              lane === which.lane &&
              (is("remove takes rows of that time") ? at <= which.endedBefore : at < which.endedBefore),
          ).slice(0, is("remove ignores the limit") ? undefined : which.limit),
        );
      const groups = is("remove counts each lane alone") ? which.lanes.map((lane) => [lane]) : [which.lanes];
      return groups.reduce((count, lanes) => {
        let total = { rows: 0, bytes: 0 };
        const direction = is("remove takes the least `leaving` first") ? -1 : 1;
        const over = where(
          (one) => lanes.includes(one.lane) && (isOf(which.mxid, one) || is("remove for a user is for all")),
        )
          .sort((one, other) => direction * (one.columns.leaving - other.columns.leaving))
          .filter(({ columns }) => {
            const isFirm = columns.leaving === 0 && !is("remove takes rows that stay");
            if (isFirm && is("remove does not count rows that stay")) return false;
            total = { rows: total.rows + 1, bytes: total.bytes + columns.bytes };
            const isOver =
              total.rows > which.keep.rows || (total.bytes > which.keep.bytes && !is("remove ignores bytes"));
            return isOver && !isFirm;
          });
        return count + drop(over);
      }, 0);
    },
    nextDueAt: async () => {
      await soon();
      const times = where((one) => isWaiting(one) || is("nextDueAt counts what has ended")).map(
        ({ columns: { at, record } }) => {
          const { state: now } = readRedemption(record);
          return is("nextDueAt ignores claims") && now._tag === "Waiting" ? now.dueAt : at;
        },
      );
      return times.length === 0 ? undefined : Math.min(...times);
    },
  };
};
