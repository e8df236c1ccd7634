/**
 * `npm run simulate:planted`: is the simulator wild enough? Takes one guard of the library away at a time, in a copy,
 * and runs lives until a check notices. `-- --only NAME` for those whose names have it in them, `--seed S` for other
 * lives than those from seed 1. Exits with 1 if one never does, with 2 where the arguments make no sense.
 */
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { isJsonObject, member, stringMember } from "matrix-third-party-invites/matrix";
import { type PlantedBug, plantedBugs } from "./planted-bugs.js";

const root = fileURLToPath(new URL("../..", import.meta.url));

const mostLives = 10_000;

/** The text of a file with one guard gone. */
export const plant = (source: string, { name, file, text, instead }: PlantedBug): string => {
  const parts = source.split(text);
  if (parts.length !== 2)
    throw new Error(`"${name}": its text stands ${parts.length - 1} times in src/${file}.`);
  return parts.join(instead);
};

interface Found {
  readonly check: string;
  readonly seed: number;
  readonly lives: number;
}

const parsed = (line: string): unknown => {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
};

/** Runs lives in a copy; `undefined` where all went well. */
const hunt = (copy: string, seed: number): Found | undefined => {
  const { stdout, status, stderr } = spawnSync(
    process.execPath,
    [
      "--import",
      "tsx",
      "test/simulation/main.ts",
      ...["--seed", String(seed), "--runs", "1000000", "--lives", String(mostLives), "--json"],
    ],
    { cwd: copy, encoding: "utf8", maxBuffer: 2 ** 28 },
  );
  if (status === 0) return undefined;
  const lines = stdout.split("\n").map(parsed).filter(isJsonObject);
  const failure = lines.find((line) => stringMember(line, "check") !== undefined);
  const all = lines.at(-1);
  if (failure === undefined) throw new Error(stderr);
  return {
    check: stringMember(failure, "check") ?? "",
    seed: Number(member(failure, "seed")),
    lives: Number(member(all, "lives")),
  };
};

const row = (name: string, check: string, lives: string): string =>
  `${name.padEnd(62)} ${check.padEnd(10)} ${lives.padStart(6)}`;

interface Options {
  readonly seed: number;
  readonly bugs: readonly PlantedBug[];
}

const readOptions = (args: readonly string[]): Options => {
  const { values } = parseArgs({
    args: [...args],
    options: { seed: { type: "string", default: "1" }, only: { type: "string", default: "" } },
  });
  const bugs = plantedBugs.filter(({ name }) => name.includes(values.only));
  if (bugs.length === 0) throw new TypeError(`No planted bug is called ${JSON.stringify(values.only)}.`);
  return { seed: Number(values.seed), bugs };
};

const main = ({ seed, bugs }: Options): 0 | 1 => {
  const copy = mkdtempSync(join(tmpdir(), "simulate-planted-"));
  let missed = 0;
  try {
    for (const part of ["src", "test/simulation", "package.json", "tsconfig.json"])
      cpSync(join(root, part), join(copy, part), { recursive: true });
    symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));
    console.log(row("planted bug", "found by", "lives"));
    for (const bug of bugs) {
      const path = join(copy, "src", bug.file);
      const source = readFileSync(path, "utf8");
      writeFileSync(path, plant(source, bug));
      const found = hunt(copy, seed);
      writeFileSync(path, source);
      if (found === undefined) missed += 1;
      console.log(
        row(bug.name, found?.check ?? "NOT FOUND", found === undefined ? "-" : String(found.lives)),
      );
    }
  } finally {
    rmSync(copy, { recursive: true });
  }
  return missed === 0 ? 0 : 1;
};

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  let options: Options | undefined;
  try {
    options = readOptions(process.argv.slice(2));
  } catch (problem) {
    console.error(problem instanceof Error ? problem.message : String(problem));
  }
  process.exitCode = options === undefined ? 2 : main(options);
}
