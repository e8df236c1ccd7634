// Mutates each floor of the core, or one file of it, and holds it against the floor's own tests:
// npm run mutation [-- (FLOOR | FILE) ...]
import { existsSync } from "node:fs";
import { Stryker } from "@stryker-mutator/core";

const floors = ["matrix", "threepid", "invite"];
const files = /^src\/(matrix|threepid|invite)\/[^*]+\.ts$/;

/** What a floor's run, or a file's, is asked for; `undefined` where there is no such thing. */
const jobOf = (name) => {
  if (floors.includes(name))
    return {
      floor: name,
      mutate: [`src/${name}/**/*.ts`, "!src/threepid/case-fold-table.ts"],
      incrementalFile: `coverage/mutation/${name}.incremental.json`,
      jsonReporter: { fileName: `coverage/mutation/${name}.json` },
    };
  const [, floor] = files.exec(name) ?? [];
  if (floor === undefined || !existsSync(name)) return undefined;
  // All of a file are tried again, and what is kept of its floor stays as it is.
  return { floor, mutate: [name], incremental: false, reporters: ["clear-text"] };
};

const asked = process.argv.slice(2);
const jobs = (asked.length > 0 ? asked : floors).map(jobOf);

if (jobs.includes(undefined)) {
  console.error(
    `usage: npm run mutation [-- (FLOOR | FILE) ...], a floor being one of ${floors.join(", ")}, a file one of src/FLOOR`,
  );
  process.exitCode = 2;
} else
  for (const { floor, ...options } of jobs) {
    process.env.MUTATED_FLOOR = floor;
    // Sets the exit code where the score is below the threshold.
    await new Stryker({ configFile: "test/mutation/stryker.config.json", ...options }).runMutationTest();
  }
