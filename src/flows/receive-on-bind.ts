import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { type Delivery, type OnBind, type RefusedEntry, checkOnBind } from "../invite/onbind.js";
import { type RedemptionRecord, redemptionId } from "../invite/redemption.js";
import { type Place, placesInLine } from "../invite/redemption-line.js";
import { type Lane, lanesOf, leavingAtDepth, redemptionRow, waitingLanes } from "../invite/redemption-row.js";
import { serverOf } from "../matrix/ids.js";
import type { LaneSize, UserLine } from "../ports.js";
import { refusal } from "../refusal.js";
import { defineFlow } from "./flow.js";
import { asList, callPort } from "./steps/call-port.js";
import type { Context } from "./steps/context.js";
import { findUser } from "./steps/find-user.js";
import { notify } from "./steps/notify.js";
import { provesOwnInvite } from "./steps/proves-own-invite.js";
import { queueLimits } from "./steps/queue-limits.js";
import type { Step } from "./steps/step.js";
import { vouchedEntries } from "./steps/vouched-entries.js";

/** The delivery of an identity server. */
export interface OnBindCommand {
  /** The parsed JSON of the body, unchecked. */
  readonly body: unknown;
}

type OnBindContext = Context<"crypto" | "invites" | "redemptions" | "users" | "clock">;

/** What became of a delivery. Answer it with 200 and `{}`: the identity server repeats anything else for ever. */
export interface OnBindOutcome {
  /** Entries that are stored; the same proof delivered again counts here, and is owed once. */
  readonly accepted: number;
  /** How many of these were not there before: `deliverOwed` has something to do. */
  readonly added: number;
  readonly refused: readonly RefusedEntry[];
}

const defaultMaxEntries = 5_000;

/** When the queue may have shrunk again. */
const fullForMs = 60_000;

/** Some databases take no more at a time. */
const maxPutBytes = 512 * 1024;

interface NewRow {
  readonly record: RedemptionRecord;
  readonly isVouched: boolean;
  readonly leaving: number;
  readonly bytes: number;
}

/** Nobody here has this name: all is refused, and the identity server may stop. */
const withoutUser = ({ mxid, accepted, refused }: OnBind): OnBind => ({
  mxid,
  accepted: [],
  refused: [...refused, ...accepted.map(({ index }) => ({ index, refusal: refusal("UserUnknown") }))],
});

/** Of a delivery for another server's user so many entries are looked at. */
const maxOfOthers = 16;

/** Of another server's user only what proves an invite of our own is taken. */
const provenOnly = (context: OnBindContext, { mxid, accepted, refused }: OnBind): Step<OnBind> =>
  pipe(
    accepted.slice(0, maxOfOthers),
    TE.traverseSeqArray((entry) => provesOwnInvite(context, entry)),
    TE.map((proven) => ({
      mxid,
      accepted: accepted.filter((_, at) => proven[at] === true),
      refused: [
        ...refused,
        ...accepted.flatMap(({ index }, at) =>
          proven[at] === true ? [] : [{ index, refusal: refusal("UserNotLocal") }],
        ),
      ],
    })),
  );

/** What is taken of a delivery, by whose the user is. */
const ofKnownUser = (context: OnBindContext, checked: OnBind): Step<OnBind> =>
  serverOf(checked.mxid) === context.ports.config.serverName
    ? pipe(
        findUser(context, { userId: checked.mxid }),
        TE.map((user) => (user === undefined ? withoutUser(checked) : checked)),
      )
    : provenOnly(context, checked);

const readLine = (context: OnBindContext, { mxid }: OnBind, lane: Lane): Step<UserLine> =>
  callPort(context, "redemptions", "line", { lane, mxid }).read((line) =>
    Array.isArray(line.waiting) ? TE.right(line) : undefined,
  );

const newRow = (
  { crypto, clock }: OnBindContext["ports"],
  delivery: Delivery,
  { turn, depth, isVouched }: Place & { readonly isVouched: boolean },
): NewRow => {
  const { roomId, sender, signed } = delivery;
  const now = clock.now();
  const record: RedemptionRecord = {
    id: redemptionId(crypto, delivery),
    roomId,
    token: signed.token,
    mxid: signed.mxid,
    sender,
    owedAt: now,
    state: { _tag: "Waiting", signed: signed.json, isVouched, turn, depth, dueAt: now, attempts: 0 },
  };
  return {
    record,
    isVouched,
    leaving: leavingAtDepth(depth),
    bytes: redemptionRow(record).bytes,
  };
};

/** The rows of one class, each at its place in line; refused where too many wait for this user. */
const placed = (
  context: OnBindContext,
  onBind: OnBind,
  { isVouched, entries }: { readonly isVouched: boolean; readonly entries: OnBind["accepted"] },
): Step<readonly NewRow[]> => {
  if (entries.length === 0) return TE.right([]);
  const { vouchedPerUser, unvouchedPerUser } = queueLimits(context.ports.config);
  const most = isVouched ? vouchedPerUser : unvouchedPerUser;
  if (entries.length > most) return TE.left(refusal("TooManyEntries"));
  return pipe(
    readLine(context, onBind, isVouched ? "vouched" : "unvouched"),
    TE.flatMap((line) => {
      const before = line.waiting.reduce((sum, { rows }) => sum + rows, 0);
      if (!(before + entries.length <= most))
        return TE.left(refusal("TooManyWaiting", { retryAfterMs: fullForMs }));
      const places = placesInLine(
        line,
        entries.map(({ sender }) => serverOf(sender)),
      );
      return TE.right(
        places.flatMap((place, index) => {
          const entry = entries[index];
          return entry === undefined ? [] : [newRow(context.ports, entry, { ...place, isVouched })];
        }),
      );
    }),
  );
};

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);

/** What a class comes to with the new rows: those that stand before them, and all. */
const sizeWith = (sizes: readonly LaneSize[], rows: readonly NewRow[], isVouched: boolean) => {
  const mine = rows.filter((row) => row.isVouched === isVouched);
  const waiting = sizes.filter(({ lane }) => lanesOf(isVouched).includes(lane));
  const bytes = sum(mine.map((row) => row.bytes));
  return {
    isConcerned: mine.length > 0,
    ahead: {
      rows: sum(waiting.map(({ ahead }) => ahead.rows)) + mine.length,
      bytes: sum(waiting.map(({ ahead }) => ahead.bytes)) + bytes,
    },
    all: {
      rows: sum(waiting.map(({ rows }) => rows)) + mine.length,
      bytes: sum(waiting.map((size) => size.bytes)) + bytes,
    },
  };
};

const isWithin = (
  size: { readonly rows: number; readonly bytes: number },
  most: { readonly rows: number; readonly bytes: number },
): boolean => size.rows <= most.rows && size.bytes <= most.bytes;

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
 * Stores the rows where there is room for them. Where too many wait, those that stand last leave; only a delivery that
 * would itself stand last is refused, as a whole, since it is delivered again whole.
 */
const storeRows = (context: OnBindContext, rows: readonly NewRow[]): Step<number> => {
  const caps = queueLimits(context.ports.config);
  const leaving = Math.max(...rows.map((row) => row.leaving));
  return pipe(
    callPort(context, "redemptions", "sizes", { lanes: waitingLanes, leaving }).read(asList),
    TE.flatMap((sizes): Step<number> => {
      const classes = [true, false].map((isVouched) => ({
        isVouched,
        ...sizeWith(sizes, rows, isVouched),
        keep: isVouched
          ? { rows: caps.vouched, bytes: caps.vouchedBytes }
          : { rows: caps.unvouched, bytes: caps.unvouchedBytes },
      }));
      const concerned = classes.filter(({ isConcerned }) => isConcerned);
      // A proof comes only once: what finds no room now must be delivered again, so this is no 200.
      if (!concerned.every(({ ahead, keep }) => isWithin(ahead, keep)))
        return TE.left(refusal("TooManyWaiting", { retryAfterMs: fullForMs }));
      return pipe(
        inPieces(rows),
        TE.traverseSeqArray((piece) => callPort(context, "redemptions", "put", piece).read(asList)),
        TE.map((added) => sum(added.map(({ length }) => length))),
        TE.tap(() =>
          pipe(
            concerned.filter(({ all, keep }) => !isWithin(all, keep)),
            TE.traverseSeqArray(
              ({ isVouched, keep }) =>
                callPort(context, "redemptions", "remove", { lanes: lanesOf(isVouched), keep }).answer,
            ),
          ),
        ),
      );
    }),
  );
};

const store = (context: OnBindContext, onBind: OnBind, body: unknown): Step<OnBindOutcome> => {
  const { mxid, accepted, refused } = onBind;
  if (accepted.length === 0) return TE.right({ accepted: 0, added: 0, refused });
  return pipe(
    vouchedEntries(context, body, accepted),
    TE.flatMap((vouched) =>
      pipe(
        [true, false],
        TE.traverseSeqArray((isVouched) =>
          placed(context, onBind, {
            isVouched,
            entries: accepted.filter((entry) => vouched.has(entry) === isVouched),
          }),
        ),
      ),
    ),
    TE.flatMap((classes) => storeRows(context, classes.flat())),
    TE.tapIO(() => () => {
      for (const { roomId } of accepted) notify(context, { _tag: "RedemptionOwed", roomId, target: mxid });
    }),
    TE.map((added) => ({ accepted: accepted.length, added, refused })),
  );
};

export const receiveOnBind = defineFlow(
  "crypto",
  "invites",
  "redemptions",
  "users",
  "clock",
)((context, { body }: OnBindCommand) => {
  const { serverName, maxOnBindEntries: maxEntries = defaultMaxEntries } = context.ports.config;
  return pipe(
    TE.fromEither(checkOnBind(body, { serverName, maxEntries })),
    TE.flatMap((checked) => ofKnownUser(context, checked)),
    TE.flatMap((checked) => store(context, checked, body)),
    TE.tapIO(({ refused }) => () => {
      for (const { refusal } of refused)
        notify(context, { _tag: "Refused", code: refusal.code, flow: "receiveOnBind" });
    }),
  );
});
