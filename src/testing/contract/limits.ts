import type { Limits, TakeQuestion } from "../../ports.js";
import { expectSame } from "./expect.js";
import type { Checks } from "./runner.js";
import { due } from "./sample-redemptions.js";

interface Subject {
  readonly limits: Limits;
}

const second = 1_000;
const year = 365 * 86_400 * second;

/** A bucket of three, of which one comes back in a second. */
const question = (more: Partial<TakeQuestion>): TakeQuestion => ({
  key: "k",
  cost: 1,
  now: due,
  intervalMs: second,
  burst: 3,
  ...more,
});

/** What is asked, and how many seconds after `due` the bucket is then full; `no` where it does not hold that much. */
type Step = readonly [more: Partial<TakeQuestion>, fullIn: number, no?: "no"];

const expectSteps = async ({ limits }: Subject, steps: readonly Step[]): Promise<void> => {
  for (const [index, [more, fullIn, no]] of steps.entries()) {
    const answer = await limits.take(question(more), {});
    const expected = { isTaken: no === undefined, fullAt: due + fullIn * second };
    expectSame(answer, expected, `The answer to question ${index + 1} of ${steps.length} is wrong.`);
  }
};

/** So many seconds after the first question. */
const at = (seconds: number): number => due + seconds * second;

export const limitChecks: Checks<Subject> = {
  "take takes what the bucket holds and no more, and one comes back in each interval": (subject) =>
    expectSteps(subject, [
      [{}, 1],
      [{ cost: 2 }, 3],
      [{}, 3, "no"],
      [{ now: at(0.999) }, 3, "no"],
      [{ now: at(1) }, 4],
      [{ now: at(1) }, 4, "no"],
      [{ now: at(100) }, 101],
      [{ now: at(100), cost: 3 }, 101, "no"],
      [{ now: at(100), cost: 2 }, 103],
    ]),

  "take gives back a negative cost, up to a full bucket, and a cost of 0 only looks": (subject) =>
    expectSteps(subject, [
      [{ cost: 0 }, 0],
      [{ cost: -2 }, 0],
      [{ cost: 3 }, 3],
      [{ cost: 0 }, 3],
      [{ cost: -1 }, 2],
      [{ cost: 0, now: at(1) }, 2],
      [{ cost: -9, now: at(1) }, 1],
      [{ cost: 3, now: at(1) }, 4],
    ]),

  "take never takes more than fits": (subject) =>
    expectSteps(subject, [
      [{ cost: 4 }, 0, "no"],
      [{ burst: 0 }, 0, "no"],
      [{ cost: 3 }, 3],
    ]),

  "a bucket that a clock far ahead has filled is at most empty: it fills again in its own time": (subject) =>
    expectSteps(subject, [
      [{ now: due + year, cost: 3 }, year / second + 3],
      [{}, 3, "no"],
      // Whoever was refused comes again: what was stored must not shut them out for a year.
      [{ now: at(1) }, 4],
      [{ now: at(5), cost: 2 }, 7],
    ]),

  "a bucket follows an interval and a burst that have changed": (subject) =>
    expectSteps(subject, [
      [{ burst: 100, cost: 100 }, 100],
      [{ cost: 0 }, 3],
      [{ burst: 5, intervalMs: 2 * second }, 5],
      [{ burst: 5, intervalMs: 2 * second, cost: 3 }, 5, "no"],
    ]),

  "each key has its own bucket, whatever characters are in it": async (subject) => {
    const keys = [
      "k",
      "K",
      "k ",
      "",
      "%",
      "_",
      "'\" \\ $1 ?",
      "e\u0301",
      "\u00e9",
      "\u{1f98a}",
      "k".repeat(500),
    ];
    for (const [index, key] of keys.entries())
      await expectSteps(subject, [[{ key, cost: (index % 3) + 1 }, (index % 3) + 1]]);
    for (const [index, key] of keys.entries())
      await expectSteps(subject, [[{ key, cost: 0 }, (index % 3) + 1]]);
  },

  "forget forgets buckets that were full before that, at most `limit`, and says how many": async (
    subject,
  ) => {
    for (const [index, key] of ["a", "b", "c", "d"].entries())
      await expectSteps(subject, [[{ key, cost: index < 3 ? 1 : 2 }, index < 3 ? 1 : 2]]);
    const forget = (fullBefore: number, limit: number) => subject.limits.forget({ fullBefore, limit }, {});
    expectSame(await forget(at(1), 9), 0, "No bucket was full before that.");
    expectSame(await forget(at(1) + 1, 2), 2, "Of three buckets two were to be forgotten.");
    expectSame(await forget(at(2), 9), 1, "Of three buckets one was left.");
    await expectSteps(subject, [
      [{ key: "d", cost: 0 }, 2],
      [{ key: "a", cost: 0 }, 0],
    ]);
  },
};
