/**
 * `npm run bench`, or `npm run --silent bench -- --json`; `-- --only NAME` for one figure and for all whose names
 * begin with `NAME.`; `-- --plot FILE` draws the figures of `growth`. Exits with 0 also where a target is missed, with 2 where the arguments make no sense.
 *
 * It measures the built package: the script builds, and gives tsx a configuration without `paths`, so that the
 * package's name leads to dist. From src, tsx would wrap the functions that the library makes in passing, to keep their
 * names: measured, that makes `canonicalOverStringify.1k` and `eventIdOverSha256` 3 to 5 % worse than they are.
 */
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import type { Figure } from "./figure.js";
import { figures } from "./figures.js";
import { plotOf } from "./plot.js";
import { type Finding, reportOf, tableOf } from "./report.js";

interface Arguments {
  readonly json: boolean;
  readonly plot: string | undefined;
  readonly chosen: readonly Figure[];
}

const readArguments = (): Arguments => {
  const { values } = parseArgs({
    options: {
      json: { type: "boolean", default: false },
      only: { type: "string" },
      plot: { type: "string" },
    },
  });
  const { json, only, plot } = values;
  const chosen = figures.filter(
    ({ name }) => only === undefined || name === only || name.startsWith(`${only}.`),
  );
  if (chosen.length === 0)
    throw new Error(`No figure has that name. There are: ${figures.map(({ name }) => name).join(", ")}.`);
  return { json, plot, chosen };
};

const progress = (line: string): void => {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${line}`);
};

const findingOf = async ({ name, unit, target, find }: Figure): Promise<Finding> => {
  progress(name);
  const found = await find();
  progress("");
  return { ...found, unit, target };
};

const run = async ({ json, plot, chosen }: Arguments): Promise<void> => {
  const found: [string, Finding][] = [];
  for (const figure of chosen) found.push([figure.name, await findingOf(figure)]);
  const report = reportOf(Object.fromEntries(found));
  if (plot !== undefined) writeFileSync(plot, plotOf(report.figures));
  console.log(json ? JSON.stringify(report) : tableOf(report));
};

let given: Arguments | undefined;
try {
  given = readArguments();
} catch (problem) {
  console.error(problem instanceof Error ? problem.message : String(problem));
  process.exitCode = 2;
}
if (given !== undefined) await run(given);
