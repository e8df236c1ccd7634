import { isLeft, isRight, left, right } from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { isWaiting } from "../invite/redemption.js";
import { waitingLanes } from "../invite/redemption-row.js";
import type { ClaimQuestion } from "../ports.js";
import { failure } from "../refusal.js";
import { defineFlow } from "./flow.js";
import { asList, callPort, isStopped } from "./steps/call-port.js";
import { type Claimed, claimSlots } from "./steps/claim-slots.js";
import type { Delivered } from "./steps/delivered.js";
import { letOthersRun } from "./steps/in-turns.js";
import { settle } from "./steps/notify.js";
import { hasPassed, maxBackOffMs, steadyFor } from "./steps/process-memory.js";
import { readAmount } from "./steps/read-command.js";
import type { FlowResult, Problem, Step } from "./steps/step.js";
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

/** After so many others may run: a storage that answers at once would let nobody. */
const rowsPerTurn = 64;

/** Rows whose time a clock that was wrong has put far off: they are looked for now and then, as if they were due. */
const farOff = ({ ports, memory: { worker } }: WorkContext): ClaimQuestion["due"] | undefined => {
  const now = ports.clock.now();
  worker.staleCheckedAt ??= now;
  return hasPassed(worker.staleCheckedAt, now, staleCheckMs)
    ? { from: now + staleAfterMs, to: Number.MAX_SAFE_INTEGER }
    : undefined;
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
    let stale = farOff(context);
    const isSteady = steadyFor(worker, clock.now()) >= staleCheckMs;
    let begun = 0;

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
      begun += 1;
    };

    const beginParked = (): void => {
      for (let row = slots.next(); row !== undefined; row = slots.next())
        // One whose claim has almost run out comes back by itself.
        if (row.until - clock.now() >= Math.min(neededMs, (config.leaseMs ?? defaultLeaseMs) / 2)) begin(row);
        else slots.giveBack(row);
    };

    /** How many rows came, and whether these are all there are. */
    const claimDue = async (due: ClaimQuestion["due"]): Promise<{ rows: number; wereAll: boolean }> => {
      const question = remaining > 0 && problem === undefined ? slots.question() : undefined;
      if (question === undefined) return { rows: 0, wereAll: false };
      worker.claims += 1;
      const { lanes } = question;
      const asked = Math.min(question.free, remaining);
      const claimed = await settle(claim(context, { lanes, limit: asked, due }));
      if (isLeft(claimed)) {
        problem = claimed.left;
        return { rows: 0, wereAll: false };
      }
      const rows = claimed.right.length;
      remaining -= rows;
      slots.park(claimed.right);
      const isWhole =
        lanes.length === waitingLanes.length && lanes.every(({ except }) => except.length === 0);
      return { rows, wereAll: isWhole && rows < asked };
    };

    /** Whether rows came. */
    const claimMore = async (): Promise<boolean> => {
      if (stale !== undefined) {
        const { rows, wereAll } = await claimDue(stale);
        // A clock that has just gone wrong itself takes what others hold for that: so no more than a few.
        if (wereAll || !isSteady) {
          stale = undefined;
          worker.staleCheckedAt = clock.now();
        }
        if (rows > 0) return true;
      }
      if (!worker.isWoken && clock.now() < exhaustedAt + exhaustedForMs) return false;
      worker.isWoken = false;
      const { rows, wereAll } = await claimDue({ from: 0, to: clock.now() });
      if (wereAll) exhaustedAt = clock.now();
      return rows > 0;
    };

    for (;;) {
      beginParked();
      if (begun >= rowsPerTurn) {
        begun = 0;
        await letOthersRun();
      }
      if (await claimMore()) continue;
      if (running.size === 0) break;
      await Promise.race([...running, new Promise<void>((wake) => (worker.wake = wake))]);
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

/** What comes of a call that runs, for somebody who may stop waiting for it. */
const unlessAborted = <A>(running: FlowResult<A>, signal: AbortSignal | undefined): FlowResult<A> =>
  signal === undefined
    ? running
    : new Promise((resolve) => {
        const stop = (): void => {
          resolve(left(failure("Cancelled")));
        };
        if (signal.aborted) stop();
        signal.addEventListener("abort", stop);
        void running.then((result) => {
          signal.removeEventListener("abort", stop);
          resolve(result);
        });
      });

/** A call that comes while another runs joins it: what is bounded for a process is bounded whoever wakes the worker. */
const joinRunning =
  (context: WorkContext, limit: number): Step<Delivered> =>
  async () => {
    const { worker } = context.memory;
    for (;;) {
      const { running } = worker;
      if (running === undefined) break;
      worker.isWoken = true;
      worker.wake?.();
      const result = await unlessAborted(running, context.signal);
      // Stopped by whoever began it: that says nothing about this call.
      if (isRight(result) || result.left.code !== "Cancelled" || isStopped(context.signal)) return result;
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
    TE.fromEither(readAmount(limit, "limit")),
    TE.flatMap((most) => joinRunning(context, most)),
  ),
);
