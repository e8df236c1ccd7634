import fc from "fast-check";
import type { FuzzProperty } from "./property.js";

export interface Failure {
  /** The smallest input that fails, as fast-check writes it. */
  readonly counterexample: string;
  readonly path: string;
  readonly error: string;
}

export interface Result {
  readonly name: string;
  readonly inputs: number;
  readonly milliseconds: number;
  readonly failure?: Failure;
}

/** How many inputs each property gets of so many in all: by its share of the time, and the fewer the more they cost. */
export const allot = (properties: readonly FuzzProperty[], inputs: number): readonly number[] => {
  const rates = properties.map(({ share, cost }) => share / cost);
  const whole = rates.reduce((sum, rate) => sum + rate, 0);
  return rates.map((rate) => Math.max(1, Math.round((inputs * rate) / whole)));
};

const longest = 20_000;

const clipped = (text: string): string =>
  text.length > longest ? `${text.slice(0, longest)}… (${text.length} characters)` : text;

/** What an odd value looks like is no reason to lose the report. */
const shown = (show: () => string): string => {
  try {
    return clipped(show());
  } catch (problem) {
    return `(cannot be shown: ${problem instanceof Error ? problem.message : "it throws"})`;
  }
};

export const run = ({ name, property }: FuzzProperty, inputs: number, seed: number): Result => {
  const start = performance.now();
  const outcome = fc.check(property, { numRuns: inputs, seed });
  // Only asynchronous properties promise; there is none.
  if (outcome instanceof Promise) throw new Error(`${name} is asynchronous.`);
  const result = { name, inputs: outcome.numRuns, milliseconds: Math.round(performance.now() - start) };
  if (!outcome.failed) return result;
  return {
    ...result,
    failure: {
      counterexample: shown(() => fc.stringify(outcome.counterexample)),
      path: outcome.counterexamplePath ?? "",
      error: shown(() => String(outcome.errorInstance)),
    },
  };
};
