import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isAll } from "../all.js";
import { type Output, fuzz, usage } from "./cli.js";
import { properties } from "./properties.js";
import type { FuzzProperty } from "./property.js";
import { allot, run } from "./run.js";
import { entryPoints } from "./table.js";
import { hostileRows } from "./totality.js";

/** Makes the object over ports, whose methods are asynchronous; they have tests of their own in test/flows. */
const constructors = ["createThirdPartyInvites"];

const isDecision = (value: unknown): boolean =>
  typeof value === "object" && value !== null && "reads" in value && "decide" in value;

const exported = Object.values(entryPoints).flatMap((entryPoint) =>
  Object.entries<unknown>(entryPoint).filter(([, value]) => typeof value === "function" || isDecision(value)),
);

it("every exported function and decision is in the table of hostile input, and none is there that is not exported", () => {
  const names = new Set(exported.map(([name]) => name));
  const tried = hostileRows.map(({ of }): string => of);
  expect([...new Set([...constructors, ...tried])].sort()).toEqual([...names].sort());
});

it("a name means the same wherever it is exported, so that one row is for all of them", () => {
  const values = new Map(exported);
  for (const [name, value] of exported) expect([name, values.get(name) === value]).toEqual([name, true]);
});

it("no two properties have one name, so that --only finds the one that failed", () => {
  const names = properties.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
});

describe("on a few inputs, always the same", () => {
  const inputs = allot(properties, isAll ? 15_000 : 5_000);
  it.each(properties.map((property, at) => ({ name: property.name, property, count: inputs[at] ?? 1 })))(
    "$name",
    ({ property, count }) => {
      expect(run(property, count, 1).failure).toBeUndefined();
    },
  );
});

describe("the command", () => {
  const command = (
    ...args: readonly string[]
  ): { readonly code: number; readonly lines: readonly string[] } => {
    const lines: string[] = [];
    const push = (line: string): void => void lines.push(line);
    const output: Output = { print: push, complain: push, progress: () => undefined };
    const small = (name: string, cost: number, limit: number): FuzzProperty => ({
      name,
      cost,
      share: 1,
      property: fc.property(fc.nat(1000), (n) => n < limit),
    });
    const all = [small("holds", 1, 2000), small("holds too", 3, 2000), small("breaks", 1, 500)];
    return { code: fuzz(args, all, output), lines };
  };

  it("spreads the inputs by cost and ends with the total", () => {
    expect(command("--runs", "400", "--seed", "7", "--only", "holds too")).toEqual({
      code: 0,
      lines: ["   400  holds too", "400 inputs, 1 properties, 0 failed, seed 7"],
    });
    expect(command("--runs", "400", "--seed", "7", "--only", "hold")).toEqual({
      code: 0,
      lines: ["   300  holds", "   100  holds too", "400 inputs, 2 properties, 0 failed, seed 7"],
    });
  });

  it("says of a failure how to come by it again, and fails", () => {
    const { code, lines } = command("--runs", "300", "--seed", "7");
    expect(code).toBe(1);
    expect(lines).toContain("  counterexample: [500]");
    expect(lines.at(-1)).toMatch(/^\d+ inputs, 3 properties, 1 failed, seed 7$/);
    const [, again = ""] = /--seed 7 --runs (\d+) --only "breaks"$/.exec(lines.at(-2) ?? "") ?? [];
    const replayed = command("--seed", "7", "--runs", again, "--only", "breaks");
    expect(replayed.code).toBe(1);
    expect(replayed.lines.slice(0, 3)).toEqual(lines.slice(-6, -3));
  });

  it("gives one JSON object where that is asked for", () => {
    const { code, lines } = command("--json", "--seed", "7", "--runs", "300");
    expect([code, lines.length]).toEqual([1, 1]);
    expect(JSON.parse(lines[0] ?? "")).toMatchObject({
      ok: false,
      seed: 7,
      failed: 1,
      properties: [
        { name: "holds" },
        { name: "holds too" },
        { name: "breaks", failure: { counterexample: "[500]" } },
      ],
    });
  });

  it.each([
    [["--runs", "0"], "--runs must be an integer from 1 to 2147483647."],
    [["--runs", "many"], "--runs must be an integer from 1 to 2147483647."],
    [["--seed=-1"], "--seed must be an integer from 0 to 2147483647."],
    [["--only", "nobody"], 'No property is called "nobody".'],
    [["--fast"], "Unknown option '--fast'"],
    [["more"], "Unexpected argument 'more'"],
  ])("refuses %j", (args, complaint) => {
    const { code, lines } = command(...args);
    expect(code).toBe(2);
    expect(lines[0]).toContain(complaint);
    expect(lines[1]).toBe(usage);
  });
});
