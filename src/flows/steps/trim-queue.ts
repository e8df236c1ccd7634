import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { lanesOf } from "../../invite/redemption-row.js";
import type { RemoveQuestion } from "../../ports.js";
import { callPort } from "./call-port.js";
import type { Context } from "./context.js";
import { hasPassed, steadyFor } from "./process-memory.js";
import { queueLimits, waitingLimits } from "./queue-limits.js";
import type { Step } from "./step.js";

/** Often enough that what has ended stays bounded, and not for each row. */
const everyMs = 60_000;
const everyRows = 500;

/** What is forgotten because of its age alone is forgotten by a clock that was right for so long. */
const steadyMs = 3_600_000;

/** Removals in one statement. */
const perStatement = 1_000;

/**
 * Removes redemptions: of those that come again the deepest, and of those that are dead or done the oldest, where there are
 * too many; and the tokens that were remembered long enough.
 */
export const trimQueue = (context: Context<"redemptions" | "clock">, ended: number): Step<void> => {
  const { worker } = context.memory;
  const { dead, deadBytes, done, rememberMs } = queueLimits(context.ports.config);
  const now = context.ports.clock.now();
  const isSteady = steadyFor(worker, now) >= steadyMs;
  worker.endedSince += ended;
  worker.trimmedAt ??= now;
  const isTime = hasPassed(worker.trimmedAt, now, everyMs) || worker.endedSince >= everyRows;
  if (worker.endedSince === 0 || !isTime) return TE.right(undefined);
  worker.trimmedAt = now;
  worker.endedSince = 0;
  const questions: readonly RemoveQuestion[] = [
    ...[true, false].map((isVouched) => ({
      lanes: [lanesOf(isVouched)[1]],
      keep: waitingLimits(context.ports.config, isVouched).tried,
    })),
    { lanes: ["dead"], keep: { rows: dead, bytes: deadBytes } },
    { lanes: ["done", "announced"], keep: { rows: done, bytes: Number.MAX_SAFE_INTEGER } },
    ...(isSteady ? [{ lane: "redeemed" as const, endedBefore: now - rememberMs, limit: perStatement }] : []),
  ];
  return pipe(
    questions,
    TE.traverseSeqArray((which) => callPort(context, "redemptions", "remove", which).answer),
    TE.map(() => undefined),
  );
};
