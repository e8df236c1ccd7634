import { parseArgs } from "node:util";
import { type Figure, type Found, problemOf } from "./figure.js";
import type { Effort } from "./harness.js";
import { plotOf } from "./plot.js";
import { type Finding, reportOf, tableOf } from "./report.js";

export interface Output {
  readonly print: (line: string) => void;
  readonly complain: (line: string) => void;
  /** What is being found now, for somebody who watches. */
  readonly progress: (line: string) => void;
  readonly write: (file: string, text: string) => void;
}

export const usage = `npm run bench -- [--only NAME] [--json] [--plot FILE] [--smoke]
  --only NAME  the figure of this name, and all whose names begin with it and a dot
  --json       JSON instead of a table
  --plot FILE  draws the figures of growth
  --smoke      one short round of each figure, with smaller inputs: whether it can be found, no times`;

interface Options {
  readonly json: boolean;
  readonly plot: string | undefined;
  readonly effort: Effort;
  readonly chosen: readonly Figure[];
}

const readOptions = (args: readonly string[], all: readonly Figure[]): Options => {
  const { values } = parseArgs({
    args: [...args],
    options: {
      json: { type: "boolean", default: false },
      only: { type: "string" },
      plot: { type: "string" },
      smoke: { type: "boolean", default: false },
    },
  });
  const { json, only, plot, smoke } = values;
  const chosen = all.filter(({ name }) => only === undefined || name === only || name.startsWith(`${only}.`));
  if (chosen.length === 0)
    throw new TypeError(`No figure has that name. There are: ${all.map(({ name }) => name).join(", ")}.`);
  return { json, plot, effort: smoke ? "smoke" : "full", chosen };
};

interface Attempt {
  readonly figure: Figure;
  readonly seconds: number;
  readonly found: Found | undefined;
  /** Why it is not to be believed, or was not found. */
  readonly problem: string | undefined;
}

const attempt = async (figure: Figure, effort: Effort): Promise<Attempt> => {
  const start = performance.now();
  const done = (found: Found | undefined, problem: string | undefined): Attempt => ({
    figure,
    seconds: Math.round(performance.now() - start) / 1000,
    found,
    problem,
  });
  try {
    const found = await figure.find(effort);
    return done(found, problemOf(found));
  } catch (thrown) {
    return done(undefined, thrown instanceof Error ? thrown.message : String(thrown));
  }
};

const findingsOf = (attempts: readonly Attempt[]): Readonly<Record<string, Finding>> =>
  Object.fromEntries(
    attempts.flatMap(({ figure: { name, unit, target }, found }) =>
      found === undefined ? [] : [[name, { ...found, unit, target }]],
    ),
  );

/** A smoke keeps its numbers to itself: they are those of one round over other inputs. */
const smokeOf = (attempts: readonly Attempt[], json: boolean): string => {
  const failed = attempts.filter(({ problem }) => problem !== undefined).length;
  const seconds = attempts.reduce((sum, each) => sum + each.seconds, 0);
  if (!json) return `${attempts.length} figures tried in ${seconds.toFixed(0)} s, ${failed} failed`;
  const figures = attempts.map(({ figure, seconds: each, problem }) => [
    figure.name,
    { ok: problem === undefined, seconds: each, ...(problem === undefined ? {} : { problem }) },
  ]);
  return JSON.stringify({ ok: failed === 0, failed, figures: Object.fromEntries(figures) as unknown });
};

/**
 * Does what the arguments ask for and says how the process should exit: 0 also where a target is missed, 1 where a
 * figure could not be found or its results were wrong, 2 where the arguments make no sense.
 */
export const bench = async (
  args: readonly string[],
  all: readonly Figure[],
  output: Output,
): Promise<0 | 1 | 2> => {
  let options: Options;
  try {
    options = readOptions(args, all);
  } catch (problem) {
    output.complain(problem instanceof Error ? problem.message : String(problem));
    output.complain(usage);
    return 2;
  }
  const { json, plot, effort, chosen } = options;
  const attempts: Attempt[] = [];
  const absent: [string, string][] = [];
  for (const figure of chosen) {
    if (figure.absent !== undefined) {
      absent.push([figure.name, figure.absent]);
      continue;
    }
    output.progress(figure.name);
    attempts.push(await attempt(figure, effort));
  }
  output.progress("");
  const findings = findingsOf(attempts);
  if (plot !== undefined) output.write(plot, plotOf(findings));
  if (effort === "smoke") output.print(smokeOf(attempts, json));
  else {
    const report = reportOf(findings, Object.fromEntries(absent));
    output.print(json ? JSON.stringify(report) : tableOf(report));
  }
  const failed = attempts.filter(({ problem }) => problem !== undefined);
  for (const { figure, problem } of failed) output.complain(`FAILED  ${figure.name}: ${problem}`);
  return failed.length === 0 ? 0 : 1;
};
