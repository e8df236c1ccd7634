import { type Either, isLeft, isRight, left, right } from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { isWaiting } from "../invite/redemption.js";
import { waitingLanes } from "../invite/redemption-row.js";
import type { ClaimQuestion } from "../ports.js";
import { type Refusal, malformedField } from "../refusal.js";
import { defineFlow } from "./flow.js";
import { asList, callPort } from "./steps/call-port.js";
import { type Claimed, claimSlots } from "./steps/claim-slots.js";
import type { Delivered } from "./steps/delivered.js";
import { settle } from "./steps/notify.js";
import { hasPassed, maxBackOffMs } from "./steps/process-memory.js";
import type { Problem, Step } from "./steps/step.js";
import { trimQueue } from "./steps/trim-queue.js";
import { type Ended, type WorkContext, workOnClaimed } from "./steps/work-on-claimed.js";

export interface DeliverOwedCommand {
  /** How many redemptions to work on at most; 1,000 unless told otherwise. */
  readonly limit?: number;
}

const defaultLeaseMs = 120_000;
const defaultMaxInFlight = 64;

/** What a row needs of its claim when its work begins: the time of one slow request, and some more. */
const neededMs = 45_000;

/** Nothing that waits is due later than this: its time was written by a clock that was wrong. */
const staleAfterMs = 25 * 3_600_000;
const staleCheckMs = 3_600_000;

/** How long a claim that found nothing more is believed, while other rows are worked on. */
const exhaustedForMs = 1_000;

/** `Infinity` is all that is due. NaN would look like an empty queue for ever, and nobody would hear of it. */
const checkLimit = (limit: unknown): Either<Refusal, void> =>
  typeof limit === "number" && limit >= 0 ? right(undefined) : malformedField("limit");

const claim = (
  context: WorkContext,
  question: Pick<ClaimQuestion, "lanes" | "limit" | "due">,
): Step<readonly Claimed[]> => {
  const { clock, config } = context.ports;
  const until = clock.now() + (config.leaseMs ?? defaultLeaseMs);
  return pipe(
    callPort(context, "redemptions", "claim", { ...question, until }).read(asList),
    TE.map((rows) => rows.flatMap(({ value, mark }) => (isWaiting(value) ? [{ value, mark, until }] : []))),
  );
};

/** The lanes without exception. */
const allLanes = waitingLanes.map((lane) => ({ lane, except: [] }));

/** Rows whose time a clock that was wrong has put far off: now and then they are looked for, and worked on. */
const claimStale = (context: WorkContext, limit: number): Step<readonly Claimed[]> => {
  const { worker } = context.memory;
  const now = context.ports.clock.now();
  worker.staleCheckedAt ??= now;
  if (limit <= 0 || !hasPassed(worker.staleCheckedAt, now, staleCheckMs)) return TE.right([]);
  worker.staleCheckedAt = now;
  const due = { from: now + staleAfterMs, to: Number.MAX_SAFE_INTEGER };
  return claim(context, { lanes: allLanes, limit: Math.min(limit, 8), due });
};

/** Claims and works until nothing more is due, or the limit is reached. */
const workOnAll =
  (context: WorkContext, limit: number): Step<readonly Ended[]> =>
  async () => {
    const { clock, config } = context.ports;
    const { worker } = context.memory;
    const slots = claimSlots(config.maxInFlight ?? defaultMaxInFlight, () => worker.claims);
    const ended: Ended[] = [];
    const running = new Set<Promise<void>>();
    let problem: Problem | undefined;
    let remaining = limit;
    let exhaustedAt = -Infinity;

    const begin = (row: Claimed): void => {
      const done = async (): Promise<void> => {
        const result = await settle(workOnClaimed(context, row));
        slots.giveBack(row);
        if (isRight(result)) ended.push(result.right);
        else problem ??= result.left;
        running.delete(promise);
      };
      const promise = done();
      running.add(promise);
    };

    const beginParked = (): void => {
      for (let row = slots.next(); row !== undefined; row = slots.next())
        // One whose claim has almost run out comes back by itself.
        if (row.until - clock.now() >= Math.min(neededMs, (config.leaseMs ?? defaultLeaseMs) / 2)) begin(row);
        else slots.giveBack(row);
    };

    /** Whether rows came. */
    const claimMore = async (): Promise<boolean> => {
      const isExhausted = !worker.isWoken && clock.now() < exhaustedAt + exhaustedForMs;
      const question = remaining > 0 && problem === undefined && !isExhausted ? slots.question() : undefined;
      if (question === undefined) return false;
      worker.isWoken = false;
      worker.claims += 1;
      const asked = Math.min(question.free, remaining);
      const claimed = await settle(
        claim(context, { lanes: question.lanes, limit: asked, due: { from: 0, to: clock.now() } }),
      );
      if (isLeft(claimed)) {
        problem = claimed.left;
        return false;
      }
      const wasAll =
        question.lanes.length === allLanes.length && question.lanes.every((l) => l.except.length === 0);
      if (wasAll && claimed.right.length < asked) exhaustedAt = clock.now();
      remaining -= claimed.right.length;
      slots.park(claimed.right);
      return claimed.right.length > 0;
    };

    const stale = await settle(claimStale(context, remaining));
    if (isLeft(stale)) return stale;
    slots.park(stale.right);
    for (;;) {
      beginParked();
      if (await claimMore()) continue;
      if (running.size === 0) break;
      await Promise.race(running);
    }
    return problem === undefined ? right(ended) : left(problem);
  };

const count = (all: readonly Ended[], what: Ended): number => all.filter((one) => one === what).length;

const deliver = (context: WorkContext, limit: number): Step<Delivered> =>
  pipe(
    workOnAll(context, limit),
    TE.tap((ended) => trimQueue(context, ended.length)),
    TE.bindTo("ended"),
    TE.bind("next", () => callPort(context, "redemptions", "nextDueAt").answer),
    TE.map(({ ended, next }): Delivered => ({
      done: count(ended, "done"),
      dead: count(ended, "dead"),
      again: count(ended, "again"),
      nextDueAt: next === undefined ? undefined : Math.min(next, context.ports.clock.now() + maxBackOffMs),
    })),
  );

/** A call that comes while another runs joins it: what is bounded for a process is bounded whoever wakes the worker. */
const joinRunning =
  (context: WorkContext, limit: number): Step<Delivered> =>
  async () => {
    const { worker } = context.memory;
    for (;;) {
      const { running } = worker;
      if (running === undefined) break;
      worker.isWoken = true;
      const result = await running;
      // Stopped by whoever began it: that says nothing about this call.
      if (isRight(result) || result.left.code !== "Cancelled") return result;
    }
    const running = settle(deliver(context, limit));
    worker.running = running;
    try {
      return await running;
    } finally {
      worker.running = undefined;
    }
  };

export const deliverOwed = defineFlow(
  "crypto",
  "rooms",
  "events",
  "identityServer",
  "invites",
  "federation",
  "redemptions",
  "clock",
  "random",
  "policy",
  "users",
)((context, { limit = 1_000 }: DeliverOwedCommand) =>
  pipe(
    TE.fromEither(checkLimit(limit)),
    TE.flatMap(() => joinRunning(context, limit)),
  ),
);
