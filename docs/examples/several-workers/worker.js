import { deliverOwed } from "matrix-third-party-invites";

/** Has what is owed delivered: at once, whenever `wake` is called, and when the queue says that something is due. */
export const startWorker = (ports, { longestPauseMs = 60_000, onFailure = console.error } = {}) => {
  const stopping = new AbortController();
  const { signal } = stopping;
  let timer;
  let working;
  let isAskedAgain = false;

  const pauseAfter = (result) => {
    if (result._tag === "Left") return longestPauseMs; // the storage is away
    const { nextDueAt } = result.right;
    if (nextDueAt === undefined) return longestPauseMs;
    return Math.min(Math.max(nextDueAt - ports.clock.now(), 0), longestPauseMs);
  };

  const work = async () => {
    let result;
    do {
      isAskedAgain = false;
      result = await deliverOwed(ports)({}, { signal });
      if (result._tag === "Left" && !signal.aborted) onFailure(result.left);
    } while (isAskedAgain && !signal.aborted);
    working = undefined;
    if (!signal.aborted) timer = setTimeout(wake, pauseAfter(result));
  };

  const wake = () => {
    clearTimeout(timer);
    if (working === undefined) working = work();
    else isAskedAgain = true;
  };

  const stop = async () => {
    stopping.abort();
    clearTimeout(timer);
    await working;
  };

  wake();
  return { wake, stop };
};
