// Mutates each floor of the core and holds it against its own tests: npm run mutation [-- floor ...]
import { Stryker } from "@stryker-mutator/core";

const asked = process.argv.slice(2);

for (const floor of ["matrix", "threepid", "invite"]) {
  if (asked.length > 0 && !asked.includes(floor)) continue;
  process.env.MUTATED_FLOOR = floor;
  // Sets the exit code where the score is below the threshold.
  await new Stryker({
    configFile: "test/mutation/stryker.config.json",
    mutate: [`src/${floor}/**/*.ts`, "!src/threepid/case-fold-table.ts"],
    incrementalFile: `coverage/mutation/${floor}.incremental.json`,
    jsonReporter: { fileName: `coverage/mutation/${floor}.json` },
  }).runMutationTest();
}
