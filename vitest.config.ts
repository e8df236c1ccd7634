import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const source = (path: string): string => fileURLToPath(new URL(`./src/${path}`, import.meta.url));

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
    // Tests import the package by its name, as users do; here the name leads to the source.
    alias: [
      { find: /^matrix-third-party-invites$/, replacement: source("index.ts") },
      {
        find: /^matrix-third-party-invites\/(ports|judge|decisions|matrix)$/,
        replacement: source("$1.ts"),
      },
      {
        find: /^matrix-third-party-invites\/(node|portable|http|storage|postgres|sqlite|testing)$/,
        replacement: source("$1/index.ts"),
      },
    ],
  },
});
