import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    testTimeout: 60_000,
    // The library is its source, and what that imports is what is installed here: the root needs no install.
    alias: [
      { find: /^matrix-third-party-invites$/, replacement: at("../../../src/index.ts") },
      {
        find: /^matrix-third-party-invites\/(ports|judge|decisions|matrix)$/,
        replacement: at("../../../src/$1.ts"),
      },
      { find: /^matrix-third-party-invites\/(\w+)$/, replacement: at("../../../src/$1/index.ts") },
      {
        find: /^(@noble\/hashes|canonical-json|fp-ts|ipaddr\.js|selfsigned|tweetnacl|undici)(?=\/|$)/,
        replacement: at("node_modules/$1"),
      },
    ],
  },
});
