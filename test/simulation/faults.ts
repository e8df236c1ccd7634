import type { Chance } from "./chance.js";

/** How often what goes wrong, as probabilities; all of it can be switched off for the end of a run. */
export interface Faults {
  active: boolean;
  readonly ports: {
    /** A rejected promise: nothing was done, or all was and the answer is lost. */
    readonly rejectsBefore: number;
    readonly rejectsAfter: number;
    readonly stalls: number;
    /** An answer outside the contract. */
    readonly garbles: number;
  };
  readonly rooms: {
    readonly incomplete: number;
    readonly conflict: number;
    readonly unavailable: number;
    /** The host, or a policy server, says no for now. */
    readonly refusedForNow: number;
    readonly refusedForGood: number;
    /** What stores events is another process, and goes on when the one that asked has died. */
    readonly slow: number;
  };
  readonly network: {
    readonly lost: number;
    readonly answerLost: number;
    readonly doubled: number;
    readonly late: number;
    /** Something between two servers answers in the name of one. */
    readonly errorForNow: number;
    readonly errorForGood: number;
  };
  readonly identityServer: {
    readonly down: number;
    readonly error: number;
    readonly answerLost: number;
    readonly late: number;
    readonly careless: number;
    readonly hostile: number;
  };
  readonly policyRefuses: number;
  /** At each call of a port and at each answer. */
  readonly crash: number;
  /** A client that hangs up. */
  readonly cancel: number;
  /** A room's event that takes minutes to the next server. */
  readonly lag: number;
}

/** Some runs are calm, some are wild in one corner, some everywhere. */
const level = (chance: Chance, most: number): number => most * chance.pick([0, 0, 0.15, 0.5, 1]);

export const drawFaults = (chance: Chance): Faults => {
  const upTo = (most: number): number => level(chance, most);
  return {
    active: true,
    ports: {
      rejectsBefore: upTo(0.03),
      rejectsAfter: upTo(0.03),
      stalls: upTo(0.04),
      garbles: upTo(0.02),
    },
    rooms: {
      incomplete: upTo(0.05),
      conflict: upTo(0.1),
      unavailable: upTo(0.1),
      refusedForNow: upTo(0.08),
      refusedForGood: upTo(0.02),
      slow: upTo(0.3),
    },
    network: {
      lost: upTo(0.3),
      answerLost: upTo(0.3),
      doubled: upTo(0.2),
      late: upTo(0.2),
      errorForNow: upTo(0.3),
      errorForGood: upTo(0.05),
    },
    identityServer: {
      down: upTo(0.2),
      error: upTo(0.15),
      answerLost: upTo(0.15),
      late: upTo(0.1),
      careless: upTo(0.5),
      hostile: upTo(0.05),
    },
    policyRefuses: upTo(0.03),
    crash: upTo(0.012),
    cancel: upTo(0.1),
    lag: upTo(0.3),
  };
};

/** Whether a fault happens now. Chance is asked either way, so that the order of draws does not hang on it. */
export const strikes = (faults: Faults, chance: Chance, probability: number): boolean =>
  faults.active && probability > 0 && chance.happens(probability);

const second = 1000;

/** How long something hangs that hangs: longer than a lease, than an asking, than anybody waits. */
export const stall = (chance: Chance): number =>
  chance.pick([3 * second, 8 * second, 70 * second, 400 * second, 4000 * second]);

/** What real proxies and servers answer while they are in trouble. */
export const statusForNow = (chance: Chance): number =>
  chance.pick([401, 408, 424, 425, 429, 500, 502, 503, 504, 520]);

/** Answers that say nothing of the invite; the model's own list, not the library's. */
export const isForNow = (status: number): boolean =>
  status >= 500 || [401, 408, 424, 425, 429].includes(status);

/** What a proxy, a bot filter or a wrong address answers in a server's name. */
export const statusBetween = (chance: Chance): number =>
  chance.pick([204, 302, 308, 400, 403, 404, 405, 409, 413, 421]);

export const garbage = (chance: Chance): unknown =>
  chance.pick([null, 17, "garbage", {}, { _tag: "Nonsense" }, { _tag: null }, true]);
