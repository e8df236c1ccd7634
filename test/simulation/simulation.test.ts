import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { chanceFrom } from "./chance.js";
import { simulate } from "./cli.js";
import { type Rarity, rarities } from "./ledger.js";
import { plant } from "./planted.js";
import { plantedBugs } from "./planted-bugs.js";
import { type Run, play } from "./run.js";

/** Worlds by their seeds; some four hundred lives. */
const seeds = Array.from({ length: 160 }, (_, seed) => seed);

test("no check fails in some hundreds of lives", async () => {
  let lives = 0;
  const met = new Set<Rarity>();
  // Until they have what is drawn seldom.
  for (let seed = 0; seed < seeds.length || (met.size < rarities.length && seed < 1_500); seed += 1) {
    const run = await play(seed);
    expect(run.violation, `seed ${seed}`).toBeUndefined();
    lives += run.lives;
    for (const rarity of run.met) met.add(rarity);
  }
  expect(lives).toBeGreaterThan(300);
  expect(rarities.filter((rarity) => !met.has(rarity))).toEqual([]);
});

describe("replay", () => {
  const some = seeds.slice(0, 12);

  test("the same seed gives the same trace to the letter, also beside other runs", async () => {
    for (const seed of some) {
      const first = await play(seed, { trace: true });
      const [second] = await Promise.all([play(seed, { trace: true }), play(seed + 1)]);
      expect(second.trace.join("\n")).toBe(first.trace.join("\n"));
      expect(first.trace.length).toBeGreaterThan(20);
    }
  });

  test("a trace changes nothing", async () => {
    for (const seed of some) {
      const { trace: _, ...quiet } = await play(seed);
      const { trace: __, ...told } = await play(seed, { trace: true });
      expect(told).toEqual(quiet);
    }
  });

  test("another process comes by the same trace", async () => {
    const main = fileURLToPath(new URL("main.ts", import.meta.url));
    const args = ["--import", "tsx", main, "--seed", "3", "--runs", "3", "--trace"];
    const { stdout, status } = spawnSync(process.execPath, args, { encoding: "utf8" });
    const lines: string[] = [];
    for (const seed of [3, 4, 5]) lines.push(...(await play(seed, { trace: true })).trace);
    expect(status).toBe(0);
    expect(stdout.split("\n").slice(0, lines.length)).toEqual(lines);
  });

  test("chance is integers only: its numbers are these on every machine", () => {
    const chance = chanceFrom(1);
    expect([chance.below(1000), chance.below(1000), chance.below(1000)]).toMatchInlineSnapshot(`
      [
        563,
        585,
        895,
      ]
    `);
  });
});

describe("the command", () => {
  const asked = async (
    args: readonly string[],
    run: Partial<Run> = {},
  ): Promise<{ readonly code: number; readonly out: readonly string[]; readonly err: readonly string[] }> => {
    const [out, err]: [string[], string[]] = [[], []];
    const code = await simulate(
      args,
      { print: (line) => out.push(line), complain: (line) => err.push(line), progress: () => undefined },
      (seed) =>
        Promise.resolve({
          seed,
          lives: 2,
          steps: 9,
          violation: undefined,
          trace: ["a step"],
          met: [],
          ...run,
        }),
    );
    return { code, out, err };
  };
  const violation = { check: "dead", what: "given up" } as const;

  test("exits with 0 where all held, and says how much it was", async () => {
    expect(await asked(["--seed", "7", "--runs", "3"])).toEqual({
      code: 0,
      out: ["3 runs, 6 lives, 27 steps, 0 failed, seed 7"],
      err: [],
    });
  });

  test("exits with 1 at the first violation, and says how to come by it again", async () => {
    const { code, out } = await asked(["--seed", "7", "--runs", "3"], { violation });
    expect(code).toBe(1);
    expect(out.join("\n")).toContain("a step");
    expect(out.join("\n")).toContain("npm run simulate -- --seed 7 --runs 1");
    expect(out.at(-1)).toBe("1 runs, 2 lives, 9 steps, 1 failed, seed 7");
  });

  test("writes an object for each failing run and one for all with --json", async () => {
    const { code, out } = await asked(["--seed", "7", "--runs", "2", "--json", "--keep-going"], {
      violation,
    });
    const objects = out.map((line): unknown => JSON.parse(line));
    expect(code).toBe(1);
    expect(objects).toMatchObject([
      { seed: 7, check: "dead", what: "given up", trace: ["a step"] },
      { seed: 8 },
      { ok: false, seed: 7, runs: 2, failed: 2 },
    ]);
  });

  test("prints the trace of a run that went well with --trace", async () => {
    expect((await asked(["--seed", "7", "--runs", "1", "--trace"])).out[0]).toBe("a step");
  });

  test("stops once enough lives were lived", async () => {
    expect((await asked(["--seed", "7", "--lives", "5"])).out.at(-1)).toContain("3 runs, 6 lives");
  });

  test.each([["--seed", "x"], ["--runs", "0"], ["--nonsense"], ["--seed", "-1"], ["--seed", "2147483648"]])(
    "exits with 2 for %s %s",
    async (...args) => {
      const { code, err } = await asked(args);
      expect(code).toBe(2);
      expect(err.at(-1)).toContain("npm run simulate");
    },
  );
});

test.each(plantedBugs.map((bug) => [bug.name, bug] as const))(
  'the guard of "%s" stands once in src',
  (_, bug) => {
    const path = fileURLToPath(new URL(`../../src/${bug.file}`, import.meta.url));
    const source = readFileSync(path, "utf8");
    expect(plant(source, bug)).not.toBe(source);
  },
);
