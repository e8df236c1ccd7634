import {
  type AsyncComparison,
  type Comparison,
  type Effort,
  type Round,
  type Summary,
  atEffort,
  measure,
  measureAsync,
  summarise,
} from "./harness.js";

export type Unit = "ratio" | "ns" | "µs" | "ms" | "KB";

/** One size of something that grows, and what it came to there. */
export interface Point extends Summary {
  readonly size: number;
}

/** How many of the same inputs somebody gets right, and of what kind the others are. */
export interface Score {
  readonly right: number;
  readonly of: number;
  readonly wrong: Readonly<Record<string, number>>;
}

/** What was found for a figure. */
export interface Found extends Summary {
  /** What the number alone does not say. */
  readonly notes?: readonly string[];
  /** Whether somebody else is right on the same inputs; `value` is our time over theirs. */
  readonly theirs?: Score;
  readonly ours?: Score;
  readonly points?: readonly Point[];
}

export interface Figure {
  readonly name: string;
  readonly unit: Unit;
  /** At most this; `null` where none is set. */
  readonly target: number | null;
  /** Why it is left out: what it measures against is not installed. */
  readonly absent?: string;
  /** Makes the inputs, which takes a while, and measures. */
  readonly find: (effort: Effort) => Promise<Found>;
}

/** A figure that is one comparison. */
export const compared = (
  { name, unit, target }: Omit<Figure, "find">,
  comparison: (effort: Effort) => Comparison,
  of: (round: Round) => number,
): Figure => ({
  name,
  unit,
  target,
  find: (effort) => Promise.resolve(summarise(measure(atEffort(comparison(effort), effort)).map(of))),
});

/** A figure that is one comparison of what has to be waited for. */
export const comparedAsync = (
  { name, unit, target }: Omit<Figure, "find">,
  comparison: (effort: Effort) => Promise<AsyncComparison>,
  of: (round: Round) => number,
): Figure => ({
  name,
  unit,
  target,
  find: async (effort) => summarise((await measureAsync(atEffort(await comparison(effort), effort))).map(of)),
});

/** What no figure may say, whatever its target: a number that is none, or that somebody else is right more often. */
export const problemOf = ({ value, low, high, points = [], theirs, ours }: Found): string | undefined => {
  const numbers = [value, low, high, ...points.flatMap((point) => [point.value, point.low, point.high])];
  if (!numbers.every(Number.isFinite)) return "It is no number.";
  if (theirs !== undefined && ours !== undefined && ours.right < theirs.right)
    return `They are right on ${theirs.right} of ${theirs.of}, we on ${ours.right}.`;
  return undefined;
};

/** The worst of several; the notes are those of all. */
export const worstOf = (found: readonly (Found & { readonly name: string })[]): Found => {
  const [worst] = found.toSorted((one, other) => other.value - one.value);
  if (worst === undefined) throw new Error("Nothing was measured.");
  const { value, low, high } = worst;
  const notes = found.map((each) => `${each.name}: ${each.value.toPrecision(3)}`);
  return { value, low, high, notes };
};
