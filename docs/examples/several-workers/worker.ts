import type { Delivered, FlowResult, Problem, ThirdPartyInvites } from "matrix-third-party-invites";

export interface WorkerOptions {
  readonly longestPauseMs?: number;
  readonly onFailure?: (problem: Problem) => void;
}

/** Calls `deliverOwed` at once, whenever `wake` is called, and when the queue says that a row is due. */
export const startWorker = (
  invites: Pick<ThirdPartyInvites, "deliverOwed">,
  { longestPauseMs = 60_000, onFailure = console.error }: WorkerOptions = {},
) => {
  const stopping = new AbortController();
  const { signal } = stopping;
  let timer: NodeJS.Timeout | undefined;
  let working: Promise<void> | undefined;
  let wakes = 0;

  const pauseAfter = (result: Awaited<FlowResult<Delivered>>) => {
    if (result._tag === "Left") return longestPauseMs; // the storage cannot be reached
    const { nextDueAt } = result.right;
    if (nextDueAt === undefined) return longestPauseMs;
    return Math.min(Math.max(nextDueAt - Date.now(), 0), longestPauseMs);
  };

  const work = async () => {
    let seen: number;
    let result: Awaited<FlowResult<Delivered>>;
    do {
      seen = wakes;
      result = await invites.deliverOwed({}, { signal });
      if (result._tag === "Left" && !signal.aborted) onFailure(result.left);
    } while (wakes > seen && !signal.aborted);
    working = undefined;
    if (!signal.aborted) timer = setTimeout(wake, pauseAfter(result));
  };

  const wake = () => {
    clearTimeout(timer);
    wakes += 1;
    working ??= work();
  };

  const stop = async () => {
    stopping.abort();
    clearTimeout(timer);
    await working;
  };

  wake();
  return { wake, stop };
};
