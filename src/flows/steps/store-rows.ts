import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Delivery } from "../../invite/onbind.js";
import { type RedemptionRecord, redemptionId } from "../../invite/redemption.js";
import { type Place, placesInLine } from "../../invite/redemption-line.js";
import { lanesOf, redemptionRow } from "../../invite/redemption-row.js";
import { type UserId, serverOf } from "../../matrix/ids.js";
import type { RemoveQuestion, UserLine } from "../../ports.js";
import { refusal } from "../../refusal.js";
import { asList, callPort } from "./call-port.js";
import type { Context } from "./context.js";
import { inTurns, letOthersRun } from "./in-turns.js";
import { type Size, waitingLimits } from "./queue-limits.js";
import type { Step } from "./step.js";

type RowContext = Context<"crypto" | "redemptions" | "clock">;

/** Entries of one delivery that an identity server vouches for, or for which none does. */
export interface EntryClass {
  readonly mxid: UserId;
  readonly isVouched: boolean;
  readonly entries: readonly Delivery[];
}

interface NewRow extends Pick<Size, "bytes"> {
  readonly record: RedemptionRecord;
  readonly leaving: number;
}

/** What is to be put, and what leaves for it. */
interface Planned {
  readonly rows: readonly NewRow[];
  readonly leave: readonly RemoveQuestion[];
}

/** When the queue may have shrunk again. */
const fullForMs = 60_000;

/** Some databases take no more at a time. */
const maxPutBytes = 512 * 1024;

// A proof comes only once: what finds no room now must be delivered again, so this is no 200.
const tooManyWaiting = refusal("TooManyWaiting", { retryAfterMs: fullForMs });

const newRow = (
  { ports: { crypto } }: RowContext,
  delivery: Delivery,
  { turn, depth, isVouched, now }: Place & { readonly isVouched: boolean; readonly now: number },
): NewRow => {
  const { roomId, sender, signed } = delivery;
  const record: RedemptionRecord = {
    id: redemptionId(crypto, delivery),
    roomId,
    token: signed.token,
    mxid: signed.mxid,
    sender,
    owedAt: now,
    state: { _tag: "Waiting", signed: signed.json, isVouched, turn, depth, dueAt: now, attempts: 0 },
  };
  const { leaving, bytes } = redemptionRow(record);
  return { record, leaving, bytes };
};

const readLine = (context: RowContext, { mxid, isVouched }: EntryClass): Step<UserLine> =>
  callPort(context, "redemptions", "line", { lane: lanesOf(isVouched)[0], mxid }).read((line) =>
    Array.isArray(line.waiting) ? TE.right(line) : undefined,
  );

/** The new rows, each at its place in line. */
const placed = (context: RowContext, line: UserLine, { isVouched, entries }: EntryClass) => {
  const now = context.ports.clock.now();
  const places = placesInLine(
    line,
    entries.map(({ sender }) => serverOf(sender)),
  );
  return inTurns(entries, (entry, index) =>
    newRow(context, entry, { turn: 0, depth: 0, ...places[index], isVouched, now }),
  );
};

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);

const nothing: Size = { rows: 0, bytes: 0 };

const plus = ({ rows, bytes }: Size = nothing, other: Size): Size => ({
  rows: rows + other.rows,
  bytes: bytes + other.bytes,
});

const isWithin = (size: Size, most: Size): boolean => size.rows <= most.rows && size.bytes <= most.bytes;

/** What must leave so that the rows find room among these. They find none where they would stand last themselves. */
const leaveFor = (
  context: RowContext,
  rows: readonly NewRow[],
  among: Exclude<RemoveQuestion, { readonly endedBefore: number }>,
): Step<readonly RemoveQuestion[]> => {
  const { keep, ...of } = among;
  const added = { rows: rows.length, bytes: sum(rows.map(({ bytes }) => bytes)) };
  const leaving = rows.reduce((most, row) => Math.max(most, row.leaving), 0);
  return pipe(
    callPort(context, "redemptions", "sizes", { ...of, leaving }).read(asList),
    TE.flatMap(([size]) => {
      if (!isWithin(plus(size?.ahead, added), keep)) return TE.left(tooManyWaiting);
      return TE.right(isWithin(plus(size, added), keep) ? [] : [among]);
    }),
  );
};

/** Finds room for the entries of one class: for this user first, where too many of theirs wait, and then in all. */
const planned = (context: RowContext, of: EntryClass, isAlone: boolean): Step<Planned> => {
  const { mxid, isVouched, entries } = of;
  const { perUser, untried } = waitingLimits(context.ports.config, isVouched);
  if (entries.length > perUser) return TE.left(refusal("TooManyEntries"));
  const lanes = lanesOf(isVouched).slice(0, 1);
  return pipe(
    readLine(context, of),
    TE.bindTo("line"),
    TE.bind("rows", ({ line }) => placed(context, line, of)),
    TE.bind("ofUser", ({ line, rows }): Step<readonly RemoveQuestion[]> => {
      if (sum(line.waiting.map((one) => one.rows)) + rows.length <= perUser) return TE.right([]);
      // Two classes in one delivery are no honest one as a rule, and would cost twice the statements.
      if (!isAlone) return TE.left(tooManyWaiting);
      const keep = { rows: perUser, bytes: Number.MAX_SAFE_INTEGER };
      return leaveFor(context, rows, { lanes, mxid, keep });
    }),
    TE.bind("ofAll", ({ rows }) => leaveFor(context, rows, { lanes, keep: untried })),
    TE.map(({ rows, ofUser, ofAll }) => ({ rows, leave: [...ofUser, ...ofAll] })),
  );
};

/** In pieces, each with what a database takes at a time. */
const inPieces = (rows: readonly NewRow[]): readonly (readonly RedemptionRecord[])[] => {
  const pieces: RedemptionRecord[][] = [];
  let left = 0;
  for (const { record, bytes } of rows) {
    left -= bytes;
    const last = pieces.at(-1);
    if (last !== undefined && left >= 0) last.push(record);
    else {
      pieces.push([record]);
      left = maxPutBytes - bytes;
    }
  }
  return pieces;
};

/**
 * Stores what was delivered where there is room for it, and answers how many rows are new. Where too many wait, those that
 * stand last leave; only a delivery that would itself stand last is refused, as a whole, since it is delivered again whole.
 */
export const storeRows = (context: RowContext, classes: readonly EntryClass[]): Step<number> => {
  const filled = classes.filter(({ entries }) => entries.length > 0);
  return pipe(
    filled,
    TE.traverseSeqArray((of) => planned(context, of, filled.length === 1)),
    TE.flatMap((plans) =>
      pipe(
        inPieces(plans.flatMap(({ rows }) => rows)),
        TE.traverseSeqArrayWithIndex((index, piece) =>
          pipe(
            index === 0 ? TE.right(undefined) : letOthersRun,
            TE.flatMap(() => callPort(context, "redemptions", "put", piece).read(asList)),
          ),
        ),
        TE.tap(() =>
          pipe(
            plans.flatMap(({ leave }) => leave),
            TE.traverseSeqArray((which) => callPort(context, "redemptions", "remove", which).answer),
          ),
        ),
        TE.map((added) => sum(added.map(({ length }) => length))),
      ),
    ),
  );
};
