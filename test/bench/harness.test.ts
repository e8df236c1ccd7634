import { expect, test } from "vitest";
import {
  type Clock,
  asyncBatchOf,
  batchOf,
  difference,
  measure,
  measureAsync,
  quantile,
  ratio,
  summarise,
  turn,
} from "./harness.js";

/** A clock that stands still unless told otherwise. */
const fakeClock = (): { readonly clock: Clock; readonly pass: (ms: number) => void } => {
  let now = 1000;
  return {
    clock: () => now,
    pass: (ms) => {
      now += ms;
    },
  };
};

test("a quantile lies at a value or between two, in proportion", () => {
  expect(quantile([7], 0.25)).toBe(7);
  expect(quantile([30, 10, 20], 0.5)).toBe(20);
  expect(quantile([4, 1, 3, 2], 0.5)).toBe(2.5);
  expect(quantile([5, 1, 4, 2, 3], 0.25)).toBe(2);
  expect(quantile([4, 1, 3, 2], 0.25)).toBe(1.75);
  expect(quantile([10, 9], 1)).toBe(10);
});

test("a summary is the median and both quartiles, and one slow round does not move it", () => {
  expect(summarise([5, 1, 4, 2, 1000])).toEqual({ value: 4, low: 2, high: 5 });
});

test("a round is compared by its ratio or its difference", () => {
  expect(ratio({ measured: 110, against: 100 })).toBe(1.1);
  expect(difference({ measured: 110, against: 100 })).toBe(10);
});

test("a batch counts the right results", () => {
  const squares = batchOf(
    [1, 2, 3],
    (n) => n * n,
    (square, n) => square > n,
  );
  expect(squares()).toBe(2);
});

test("rounds take turns at the values", () => {
  expect([0, 1, 2, 3].map((round) => turn(["a", "b", "c", "d"], 2, round).join(""))).toEqual([
    "ab",
    "cd",
    "ab",
    "cd",
  ]);
});

test("both are timed in turn, in nanoseconds an operation, without the preparation and the warm-up", () => {
  const { clock, pass } = fakeClock();
  const order: string[] = [];
  let prepared = 0;
  const rounds = measure(
    {
      size: 4,
      warmUp: 1,
      rounds: 2,
      prepare: () => {
        prepared += 1;
        const slowness = prepared;
        pass(500);
        const batch = (name: string, ms: number) => () => {
          order.push(name);
          pass(ms * slowness);
          return 4;
        };
        return { measured: batch("measured", 8), against: batch("against", 2) };
      },
    },
    clock,
  );
  expect(rounds).toEqual([
    { measured: 4e6, against: 1e6 },
    { measured: 6e6, against: 1.5e6 },
  ]);
  expect(order).toEqual(["measured", "against", "against", "measured", "measured", "against"]);
  expect(prepared).toBe(3);
});

test("a wrong result ends the measurement", () => {
  const pair = { measured: () => 3, against: () => 4 };
  expect(() => measure({ size: 4, warmUp: 0, rounds: 1, prepare: () => pair })).toThrow("Only 3 of 4");
});

test("what has to be waited for is timed in turn as well, and must be right", async () => {
  const { clock, pass } = fakeClock();
  const take = (ms: number) =>
    asyncBatchOf(
      [ms, ms],
      (each) => {
        pass(each);
        return Promise.resolve(each);
      },
      (each) => each < 9,
    );
  const comparison = (ms: number) => ({
    size: 2,
    warmUp: 1,
    rounds: 1,
    prepare: () => Promise.resolve({ measured: take(ms), against: take(1) }),
  });
  expect(await measureAsync(comparison(3), clock)).toEqual([{ measured: 3e6, against: 1e6 }]);
  await expect(measureAsync(comparison(9), clock)).rejects.toThrow("Only 0 of 2");
});
