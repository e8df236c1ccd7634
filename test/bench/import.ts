import { execFileSync } from "node:child_process";
import type { Figure } from "./figure.js";
import { atEffort, summarise } from "./harness.js";
import { bundled, root } from "./package.js";

const own = ["", "/judge", "/decisions", "/matrix", "/node"].map(
  (path) => `matrix-third-party-invites${path}`,
);

/** What they import that is not of this package, as they write it. */
const dependencies = async (): Promise<readonly string[]> => {
  const lines = own.map((name) => `export * from "${name}";`).join("");
  const { metafile } = await bundled(lines, {
    platform: "node",
    external: ["canonical-json", "fp-ts/*", "ipaddr.js", "undici", "@noble/*", "tweetnacl"],
    mainFields: ["module", "main"],
  });
  const imports = Object.values(metafile.outputs).flatMap((output) => output.imports);
  const named = imports.filter(({ kind }) => kind === "import-statement").map(({ path }) => path);
  return [...new Set(named)];
};

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

const [warmUp, rounds] = [3, 25];

export const importFigures: readonly Figure[] = [
  {
    name: "importMs",
    unit: "ms",
    target: 15,
    find: async (effort) => {
      const plan = atEffort({ warmUp, rounds }, effort);
      const theirs = await dependencies();
      const times: { readonly all: number; readonly theirs: number }[] = [];
      for (let round = 0; round < plan.warmUp + plan.rounds; round += 1) {
        const all = round % 2 === 0 ? importing(own) : undefined;
        const alone = importing(theirs);
        times.push({ all: all ?? importing(own), theirs: alone });
      }
      const taken = times.slice(plan.warmUp);
      const whole = summarise(taken.map(({ all }) => all));
      const alone = summarise(taken.map((each) => each.theirs));
      return {
        ...summarise(taken.map((each) => each.all - each.theirs)),
        notes: [
          `all entries with their dependencies: ${whole.value.toFixed(1)} ms`,
          `dependencies alone: ${alone.value.toFixed(1)} ms (${theirs.join(", ")})`,
        ],
      };
    },
  },
];
