import { expect, test } from "vitest";
import { bench } from "./cli.js";
import { type Figure, compared, comparedAsync } from "./figure.js";
import {
  type Clock,
  type Comparison,
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

const square = { size: 4, warmUp: 3, rounds: 5, prepare: () => ({ measured: () => 4, against: () => 4 }) };
/** One result of a batch is not what it must be. */
const planted = {
  ...square,
  prepare: () => ({
    measured: batchOf(
      [1, 2, 3, 4],
      (n) => (n === 3 ? 10 : n * n),
      (result, n) => result === n * n,
    ),
    against: () => 4,
  }),
};

const named = (name: string, comparison: Comparison): Figure =>
  compared({ name, unit: "ratio", target: null }, () => comparison, ratio);

const asked = async (args: readonly string[], figures: readonly Figure[]) => {
  const [printed, complained, written]: [string[], string[], string[]] = [[], [], []];
  const code = await bench(args, figures, {
    print: (line) => printed.push(line),
    complain: (line) => complained.push(line),
    progress: () => undefined,
    write: (file) => written.push(file),
  });
  return { code, printed: printed.join("\n"), complained, written };
};

test("a smoke is one round of every figure, with the inputs of a smoke, and tells no numbers", async () => {
  const efforts: string[] = [];
  let prepared = 0;
  const counted: Comparison = {
    ...square,
    prepare: () => {
      prepared += 1;
      return square.prepare();
    },
  };
  const figures = [
    compared(
      { name: "one", unit: "ratio", target: 0 },
      (effort) => {
        efforts.push(effort);
        return counted;
      },
      ratio,
    ),
    comparedAsync(
      { name: "two", unit: "ms", target: null },
      (effort) => {
        efforts.push(effort);
        return Promise.resolve({
          ...square,
          prepare: () => {
            prepared += 1;
            return Promise.resolve({ measured: () => Promise.resolve(4), against: () => Promise.resolve(4) });
          },
        });
      },
      ({ measured }) => measured,
    ),
  ];
  const { code, printed, complained } = await asked(["--smoke"], figures);
  expect({ code, complained, efforts, prepared }).toEqual({
    code: 0,
    complained: [],
    efforts: ["smoke", "smoke"],
    prepared: 2,
  });
  expect(printed).toMatch(/^2 figures tried in \d+ s, 0 failed$/);
  expect((await asked([], figures)).code).toBe(0);
  expect({ efforts: efforts.slice(2), prepared: prepared - 2 }).toEqual({
    efforts: ["full", "full"],
    prepared: 16,
  });
});

test.each([
  ["a planted wrong result", named("bad", planted), "Only 3 of 4 results were right."],
  [
    "one that cannot be found",
    { ...named("bad", square), find: () => Promise.reject(new Error("There is no database.")) },
    "There is no database.",
  ],
  [
    "one that throws at once",
    {
      ...named("bad", square),
      find: () => {
        throw new Error("There is no room.");
      },
    },
    "There is no room.",
  ],
  [
    "no number",
    { ...named("bad", square), find: () => Promise.resolve({ value: NaN, low: 1, high: 1 }) },
    "It is no number.",
  ],
  [
    "no number at a size",
    {
      ...named("bad", square),
      find: () =>
        Promise.resolve({
          ...{ value: 1, low: 1, high: 1 },
          points: [{ size: 1, value: 1, low: 1, high: Infinity }],
        }),
    },
    "It is no number.",
  ],
  [
    "somebody who is right more often than we",
    {
      ...named("bad", square),
      find: () =>
        Promise.resolve({
          ...{ value: 1, low: 1, high: 1 },
          theirs: { right: 5, of: 5, wrong: {} },
          ours: { right: 4, of: 5, wrong: { odd: 1 } },
        }),
    },
    "They are right on 5 of 5, we on 4.",
  ],
] satisfies readonly (readonly [string, Figure, string])[])(
  "a smoke fails by name for %s, and still tries the others",
  async (_, bad, problem) => {
    const { code, printed, complained } = await asked(
      ["--smoke", "--json"],
      [named("first", square), bad, named("last", square)],
    );
    expect({ code, complained }).toEqual({ code: 1, complained: [`FAILED  bad: ${problem}`] });
    expect(JSON.parse(printed)).toEqual({
      ok: false,
      failed: 1,
      figures: {
        first: { ok: true, seconds: expect.any(Number) as number },
        bad: { ok: false, seconds: expect.any(Number) as number, problem },
        last: { ok: true, seconds: expect.any(Number) as number },
      },
    });
    expect((await asked([], [bad])).code).toBe(1);
  },
);

test("without a smoke the JSON is a report, a missed target is no failure, and only what is asked for is found", async () => {
  const figures = ["a", "a.b", "ab"].map((name) => ({
    ...named(name, square),
    target: 0,
    find: () => Promise.resolve({ value: 1, low: 1, high: 2 }),
  }));
  const { code, printed, complained, written } = await asked(
    ["--json", "--only", "a", "--plot", "plot.svg"],
    figures,
  );
  expect({ code, complained, written }).toEqual({ code: 0, complained: [], written: ["plot.svg"] });
  const found = { value: 1, low: 1, high: 2, unit: "ratio", target: 0 };
  expect(JSON.parse(printed)).toEqual({
    machine: expect.any(String) as string,
    node: process.version,
    date: expect.any(String) as string,
    figures: { a: found, "a.b": found },
  });
  expect((await asked(["--only", "c"], figures)).complained[0]).toBe(
    "No figure has that name. There are: a, a.b, ab.",
  );
  expect((await asked(["--smok"], figures)).code).toBe(2);
});
