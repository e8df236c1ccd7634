import { randomInt } from "node:crypto";
import { parseArgs } from "node:util";
import { type Rarity, rarities } from "./ledger.js";
import { type Run, play } from "./run.js";
import { checks } from "./world.js";

export interface Output {
  readonly print: (line: string) => void;
  readonly complain: (line: string) => void;
  /** How far it is, for somebody who watches. */
  readonly progress: (line: string) => void;
}

interface Options {
  readonly seed: number;
  readonly runs: number;
  readonly lives: number;
  readonly json: boolean;
  readonly trace: boolean;
  readonly keepGoing: boolean;
}

export const usage = `npm run simulate -- [--seed S] [--runs M] [--lives N] [--json] [--trace] [--keep-going]
  --seed S      the seed of the first run, an integer from 0 to 2147483647; each further run takes the next one;
                random unless given, always printed
  --runs M      how many runs, of one to four lives each (1000)
  --lives N     no further run once this many lives were lived
  --json        one JSON object for each failing run, and one for all of them
  --trace       what happened, step by step, also in runs in which nothing failed
  --keep-going  do not stop at the first run that fails`;

const largest = 2 ** 31 - 1;

const integer = (name: string, text: string, least: number): number => {
  const value = Number(text);
  if (!/^[0-9]+$/.test(text) || value < least || value > largest)
    throw new TypeError(`--${name} must be an integer from ${least} to ${largest}.`);
  return value;
};

const readOptions = (args: readonly string[]): Options => {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seed: { type: "string", default: String(randomInt(largest)) },
      runs: { type: "string", default: "1000" },
      lives: { type: "string", default: String(largest) },
      json: { type: "boolean", default: false },
      trace: { type: "boolean", default: false },
      "keep-going": { type: "boolean", default: false },
    },
  });
  return {
    seed: integer("seed", values.seed, 0),
    runs: integer("runs", values.runs, 1),
    lives: integer("lives", values.lives, 1),
    json: values.json,
    trace: values.trace,
    keepGoing: values["keep-going"],
  };
};

/** The seeds go round at the largest one, so that any of them may be given again. */
const seedOf = (first: number, run: number): number => (first + run) % (largest + 1);

const printRun = (run: Run, options: Options, { print }: Output): void => {
  const { seed, violation, trace, lives, steps } = run;
  if (options.json) {
    if (violation !== undefined)
      print(JSON.stringify({ seed, ...violation, meaning: checks[violation.check], lives, steps, trace }));
    return;
  }
  for (const line of trace) print(line);
  if (violation === undefined) return;
  print(`FAILED  seed ${seed}: ${violation.check} (${checks[violation.check]})`);
  print(`  ${violation.what}`);
  print(`  again: npm run simulate -- --seed ${seed} --runs 1`);
};

/** Does what the arguments ask for and says how the process should exit: 0 all held, 1 something did not, 2 misused. */
export const simulate = async (
  args: readonly string[],
  output: Output,
  playRun: typeof play = play,
): Promise<0 | 1 | 2> => {
  let options: Options;
  try {
    options = readOptions(args);
  } catch (problem) {
    output.complain(problem instanceof Error ? problem.message : String(problem));
    output.complain(usage);
    return 2;
  }
  const { seed: first, runs, json, trace, keepGoing } = options;
  const failed: Run[] = [];
  const met = new Map<Rarity, number>(rarities.map((rarity) => [rarity, 0]));
  let [lives, steps, done] = [0, 0, 0];
  while (done < runs && lives < options.lives && (keepGoing || failed.length === 0)) {
    const seed = seedOf(first, done);
    const run = await playRun(seed, { trace });
    done += 1;
    lives += run.lives;
    steps += run.steps;
    for (const rarity of run.met) met.set(rarity, (met.get(rarity) ?? 0) + 1);
    // Without its trace a run is faster; one that failed is played again, to the letter, for it.
    if (run.violation !== undefined) failed.push(run);
    if (trace || run.violation !== undefined)
      printRun(trace ? run : await playRun(seed, { trace: true }), options, output);
    if (done % 100 === 0) output.progress(`${done}/${runs} runs, ${lives} lives, ${failed.length} failed`);
  }
  output.progress("");
  if (json)
    output.print(
      JSON.stringify({
        ok: failed.length === 0,
        seed: first,
        runs: done,
        lives,
        steps,
        failed: failed.length,
        met: Object.fromEntries(met),
      }),
    );
  else output.print(`${done} runs, ${lives} lives, ${steps} steps, ${failed.length} failed, seed ${first}`);
  return failed.length === 0 ? 0 : 1;
};
