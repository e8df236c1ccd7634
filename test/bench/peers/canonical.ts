import { canonicalJson } from "matrix-third-party-invites/matrix";
import { vectors } from "../../matrix/vectors.js";
import type { Figure } from "../figure.js";
import { type Comparison, atEffort, batchOf, measure, ratio, summarise, turn } from "../harness.js";
import { largePowerLevels, memberEvents, parse } from "../inputs.js";
import { type Writer, writers } from "./packages.js";
import { type Trial, scoreOf, targetOver } from "./score.js";

const parsed = (text: string): readonly [unknown] | undefined => {
  try {
    const value: unknown = JSON.parse(text);
    return [value];
  } catch {
    return undefined;
  }
};

/** What JSON.parse reads, and its canonical JSON by the specification; `null` where it has none. */
const trials = (): readonly Trial<unknown, string | null>[] =>
  vectors("json")
    .filter((vector) => vector.specUndefined !== true)
    .flatMap(({ class: kind, text, specCanonical: expected }) =>
      (parsed(text) ?? []).map((input) => ({ kind, input, expected })),
    );

const ours = (value: unknown): string | null => {
  const written = canonicalJson(value);
  return written._tag === "Right" ? written.right : null;
};

const writing = (texts: readonly string[], size: number, rounds: number, theirs: Writer): Comparison => ({
  size,
  warmUp: Math.ceil(rounds / 4),
  rounds,
  prepare: (round) => {
    const batch = (write: (value: unknown) => string | null) =>
      batchOf(
        turn(texts, size, round).map((text) => ({ value: parse(text), length: text.length })),
        ({ value }) => write(value),
        (written, { length }) => written?.length === length,
      );
    return { measured: batch(ours), against: batch(theirs) };
  },
});

const sizes = {
  "1k": (theirs: Writer) => writing(memberEvents(16), 16, 1000, theirs),
  "60k": (theirs: Writer) => writing(largePowerLevels(4), 1, 200, theirs),
};

export const canonicalFigures: readonly Figure[] = Object.entries(writers).flatMap(([name, theirs]) => {
  const score = scoreOf(trials(), theirs, null);
  return Object.entries(sizes).map(([size, comparison]): Figure => ({
    name: `peers.canonicalJson.${name}.${size}`,
    unit: "ratio",
    target: targetOver(score),
    find: (effort) =>
      Promise.resolve({
        ...summarise(measure(atEffort(comparison(theirs), effort)).map(ratio)),
        theirs: score,
        ours: scoreOf(trials(), ours, null),
      }),
  }));
});
