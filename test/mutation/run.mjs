// Mutates each directory of the core, or one file of it, and runs the tests of the directory of the same name:
// npm run mutation [-- (DIRECTORY | FILE) ...]
import { existsSync } from "node:fs";
import { Stryker } from "@stryker-mutator/core";

const directories = ["matrix", "threepid", "invite"];
const files = /^src\/(matrix|threepid|invite)\/[^*]+\.ts$/;

/** The options of Stryker for a directory or a file; `undefined` if there is none of this name. */
const jobOf = (name) => {
  if (directories.includes(name))
    return {
      directory: name,
      mutate: [`src/${name}/**/*.ts`, "!src/threepid/case-fold-table.ts"],
      incrementalFile: `coverage/mutation/${name}.incremental.json`,
      jsonReporter: { fileName: `coverage/mutation/${name}.json` },
    };
  const [, directory] = files.exec(name) ?? [];
  if (directory === undefined || !existsSync(name)) return undefined;
  // All mutants of a file are tried again; the kept results of its directory stay as they are.
  return { directory, mutate: [name], incremental: false, reporters: ["clear-text"] };
};

const asked = process.argv.slice(2);
const jobs = (asked.length > 0 ? asked : directories).map(jobOf);

if (jobs.includes(undefined)) {
  console.error(
    `usage: npm run mutation [-- (DIRECTORY | FILE) ...], where DIRECTORY is one of ${directories.join(", ")}, and FILE is in src/DIRECTORY`,
  );
  process.exitCode = 2;
} else
  for (const { directory, ...options } of jobs) {
    process.env.MUTATED_DIRECTORY = directory;
    // Sets the exit code where the score is below the threshold.
    await new Stryker({ configFile: "test/mutation/stryker.config.json", ...options }).runMutationTest();
  }
