import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import type { Figure } from "./figure.js";
import { atEffort, summarise } from "./harness.js";
import { root } from "./package.js";

const own = ["", "/node"].map((path) => `matrix-third-party-invites${path}`);

/** What a process that has this library cannot do without: the dependencies that are not in the bundle. */
const dependencies = ["canonical-json", "ipaddr.js"];

/** How long a new process takes to import these, in milliseconds. */
const importing = (names: readonly string[]): number => {
  const script = `
    const names = ${JSON.stringify(names)};
    const start = performance.now();
    await Promise.all(names.map((name) => import(name)));
    console.log(performance.now() - start);`;
  const text = execFileSync(process.execPath, ["--input-type=module", "--eval", script], {
    cwd: root,
    env: { PATH: process.env["PATH"] },
    encoding: "utf8",
  });
  return Number(text);
};

/** Builds each source as a file of its own, with fp-ts imported, as 0.1.0 was; in `root`, where the dependencies are found. */
const fileByFile = async (outdir: string): Promise<readonly string[]> => {
  const sources = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" });
  await build({
    absWorkingDir: root,
    entryPoints: sources.filter((name) => /(?<!\.d)\.ts$/.test(name)).map((name) => join("src", name)),
    outdir,
    format: "esm",
    target: "es2023",
    tsconfigRaw: {},
  });
  return ["index.js", "node/index.js"].map((name) => pathToFileURL(join(outdir, name)).href);
};

const [warmUp, rounds] = [3, 25];

export const importFigures: readonly Figure[] = [
  {
    name: "importOverFiles",
    unit: "ratio",
    target: 0.45,
    find: async (effort) => {
      const plan = atEffort({ warmUp, rounds }, effort);
      mkdirSync(join(root, "coverage"), { recursive: true });
      const folder = mkdtempSync(join(root, "coverage/file-by-file-"));
      try {
        const files = await fileByFile(folder);
        const kinds = { bundled: own, files, dependencies };
        const names = Object.keys(kinds) as (keyof typeof kinds)[];
        const times = Array.from({ length: plan.warmUp + plan.rounds }, (_, round) => {
          const inTurn = names.map((_name, at) => names[(at + round) % names.length] ?? "bundled");
          const taken = { bundled: 0, files: 0, dependencies: 0 };
          for (const name of inTurn) taken[name] = importing(kinds[name]);
          return taken;
        }).slice(plan.warmUp);
        const notes = names.map(
          (name) => `${name}: ${summarise(times.map((each) => each[name])).value.toFixed(1)} ms`,
        );
        return { ...summarise(times.map((each) => each.bundled / each.files)), notes };
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    },
  },
];
