import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";
import everything from "../../vitest.config.js";

const directory = process.env["MUTATED_DIRECTORY"] ?? "*";

/** A mutant is killed by the first test that fails, so the cheapest tests come first. */
class SmallestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return (await super.sort(files)).reverse();
  }
}

/** The tests of one directory, made quick: Stryker runs them again for each mutant that they reach. */
export default defineConfig({
  // No engine is mutated, and the portable one is some hundred times slower.
  resolve: {
    alias: [
      {
        find: /^.*\/portable\/crypto\.js$/,
        replacement: fileURLToPath(new URL("./fast-crypto.ts", import.meta.url)),
      },
    ],
  },
  test: {
    ...everything.test,
    include: [`test/${directory}/**/*.test.ts`],
    exclude: ["test/invite/totality.test.ts", "test/invite/authorize.property.test.ts"],
    setupFiles: ["test/mutation/setup.ts"],
    runner: "test/mutation/runner.ts",
    reporters: [],
    sequence: { sequencer: SmallestFirst },
    // One worker for each mutant: the source is loaded once, not again for each file of tests.
    isolate: false,
  },
});
