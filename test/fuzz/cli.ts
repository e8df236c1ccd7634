import { randomInt } from "node:crypto";
import { parseArgs } from "node:util";
import type { FuzzProperty } from "./property.js";
import { type Failure, type Result, allot, run } from "./run.js";

export interface Output {
  readonly print: (line: string) => void;
  readonly complain: (line: string) => void;
  /** What is being done now, and how much of it is done, for somebody who watches. */
  readonly progress: (line: string) => void;
}

interface Options {
  readonly runs: number;
  readonly seed: number;
  readonly only: string | undefined;
  readonly json: boolean;
}

export const usage = `npm run fuzz -- [--runs N] [--seed S] [--only NAME] [--json]
  --runs N     how many inputs in all, spread over the properties by what they cost (150000)
  --seed S     the seed, an integer from 0 to 2147483647; random unless given, always printed
  --only NAME  the property of this name, or else those whose names have it in them
  --json       one JSON object instead of lines`;

const integer = (name: string, text: string, least: number): number => {
  const value = Number(text);
  if (!/^[0-9]+$/.test(text) || value < least || value > 2 ** 31 - 1)
    throw new TypeError(`--${name} must be an integer from ${least} to 2147483647.`);
  return value;
};

const readOptions = (args: readonly string[]): Options => {
  const { values } = parseArgs({
    args: [...args],
    options: {
      runs: { type: "string", default: "150000" },
      seed: { type: "string", default: String(randomInt(2 ** 31 - 1)) },
      only: { type: "string" },
      json: { type: "boolean", default: false },
    },
  });
  return {
    runs: integer("runs", values.runs, 1),
    seed: integer("seed", values.seed, 0),
    only: values.only,
    json: values.json,
  };
};

const chosen = (all: readonly FuzzProperty[], only: string | undefined): readonly FuzzProperty[] => {
  if (only === undefined) return all;
  const exact = all.filter(({ name }) => name === only);
  const some = exact.length > 0 ? exact : all.filter(({ name }) => name.includes(only));
  if (some.length === 0) throw new TypeError(`No property is called ${JSON.stringify(only)}.`);
  return some;
};

/** The smallest run that comes by the failure again: as many inputs as it took. */
const replay = (name: string, inputs: number, seed: number): string =>
  `npm run fuzz -- --seed ${seed} --runs ${inputs} --only ${JSON.stringify(name)}`;

const failureLines = ({ name, inputs }: Result, failure: Failure, seed: number): readonly string[] => [
  `FAILED  ${name}, at input ${inputs}`,
  `  seed ${seed}, path ${failure.path}`,
  `  counterexample: ${failure.counterexample}`,
  `  ${failure.error.replaceAll("\n", "\n  ")}`,
  `  again: ${replay(name, inputs, seed)}`,
];

/** Does what the arguments ask for and says how the process should exit: 0 all held, 1 something did not, 2 misused. */
export const fuzz = (args: readonly string[], all: readonly FuzzProperty[], output: Output): 0 | 1 | 2 => {
  let options: Options;
  let properties: readonly FuzzProperty[];
  try {
    options = readOptions(args);
    properties = chosen(all, options.only);
  } catch (problem) {
    output.complain(problem instanceof Error ? problem.message : String(problem));
    output.complain(usage);
    return 2;
  }
  const { seed, json } = options;
  const inputs = allot(properties, options.runs);
  const results = properties.map((property, at) => {
    output.progress(`${at + 1}/${properties.length} ${property.name}`);
    return run(property, inputs[at] ?? 1, seed);
  });
  output.progress("");
  const total = results.reduce((sum, result) => sum + result.inputs, 0);
  const failed = results.filter(({ failure }) => failure !== undefined).length;
  if (json)
    output.print(JSON.stringify({ ok: failed === 0, seed, inputs: total, failed, properties: results }));
  else {
    for (const result of results) {
      if (result.failure === undefined) output.print(`${String(result.inputs).padStart(6)}  ${result.name}`);
      else failureLines(result, result.failure, seed).forEach(output.print);
    }
    output.print(`${total} inputs, ${results.length} properties, ${failed} failed, seed ${seed}`);
  }
  return failed === 0 ? 0 : 1;
};
