import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

/** The entry point of that name: its source, or with `TEST_DIST` what was built of it. */
const entry = (name: string): string =>
  fileURLToPath(
    new URL(
      process.env["TEST_DIST"] === undefined ? `./src/${name}.ts` : `./dist/${name}.js`,
      import.meta.url,
    ),
  );

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // A busy machine is no failure; what must be fast is measured elsewhere. Whoever reaches a limit is stuck.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    teardownTimeout: 60_000,
    // Each worker loads the source once, not again for each file of tests; test/clean-slate.ts keeps the files apart.
    isolate: false,
    maxWorkers: Math.max(2, availableParallelism()),
    setupFiles: ["test/clean-slate.ts"],
    reporters: ["default", "./test/closing-line.ts"],
    // Tests import the package by its name, as users do; here the name leads to the source, or with `TEST_DIST=1` to the build.
    alias: [
      { find: /^matrix-third-party-invites$/, replacement: entry("index") },
      {
        find: /^matrix-third-party-invites\/(ports|judge|decisions|matrix)$/,
        replacement: entry("$1"),
      },
      {
        find: /^matrix-third-party-invites\/(node|portable|libsodium|http|storage|postgres|sqlite|testing)$/,
        replacement: entry("$1/index"),
      },
    ],
  },
});
