import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { blocksOf, filesIn, guides, isCode, isThere, read } from "./pages.js";

/** The examples that tests run, by the test that does. What an example imports runs with it. */
const runBy: Readonly<Record<string, readonly string[]>> = {
  "test/docs/programs.test.ts": [
    "tutorial/invites.ts",
    "revocation/revocation.ts",
    "operators/operators.ts",
    "several-workers/crash.ts",
    "moving/moving.ts",
    "judge/received.ts",
    "watching/watching.ts",
  ],
  "test/docs/runtimes.test.ts": ["runtimes/plain-http.ts"],
  "test/docs/judge.test.ts": ["judge/judge.ts"],
  "test/docs/http.test.ts": ["http/own-routes.ts"],
  "test/docs/moving.test.ts": ["moving/import-pending.ts"],
  "test/docs/several-workers.test.ts": ["several-workers/worker.ts"],
  "test/docs/identity-server.test.ts": ["identity-server/wire.ts", "identity-server/embedded.ts"],
  "test/docs/event-builder.test.ts": ["event-builder/contract.ts", "event-builder/tutorial.ts"],
  "test/http/examples.ts": [
    "http/node-http.ts",
    "http/hono.ts",
    "http/express.ts",
    "http/express-parsed.ts",
    "http/fastify.ts",
  ],
  "test/postgres/how-to.test.ts": ["postgres/pg.ts", "postgres/pglite.ts", "postgres/contract.ts"],
  "test/sqlite/how-to.test.ts": [
    "sqlite/node-sqlite.ts",
    "sqlite/better-sqlite3.ts",
    "sqlite/bun.ts",
    "sqlite/wasm.ts",
    "sqlite/d1.ts",
  ],
  "test/interop/homeserver.test.ts": ["homeserver/homeserver.ts"],
  "test/docs/workers.test.ts": ["workers/worker.ts"],
  "docs/examples/rocket-chat/test/rocket-chat.test.ts": ["rocket-chat/adapter.ts", "rocket-chat/rules.ts"],
};

const importsOf = (path: string): readonly string[] =>
  [...read(path).matchAll(/from "(\.[^"]+)"/g)].flatMap(([, target = ""]) => {
    const imported = join(dirname(path), target);
    return [imported, imported.replace(/\.js$/, ".ts")].filter(isThere);
  });

const withImports = (paths: readonly string[]): ReadonlySet<string> => {
  const found = new Set(paths);
  // A set goes on with what is added while it is gone through.
  for (const path of found) for (const imported of importsOf(path)) found.add(imported);
  return found;
};

/** Pages that show the files of their folder whole, each once, and nothing else; and the file in place of the host's own. */
const wholeFolders: readonly (readonly [guide: string, notShown?: string])[] = [
  ["http", "ports.ts"],
  ["postgres"],
  ["sqlite", "drivers.d.ts"],
  ["event-builder", "store.ts"],
  ["identity-server"],
  ["runtimes"],
];

/** Lines without their indentation: an excerpt may stand further to the left. */
const flush = (text: string): string => text.replaceAll(/^ +/gm, "");

describe("the code of the guides", () => {
  const examples = Object.values(runBy).flatMap((names) => names.map((name) => `docs/examples/${name}`));

  it.each(Object.entries(runBy))("%s runs what it is said to run", (test, names) => {
    const source = read(test);
    const missing = names.filter((name) => !source.includes(name.replace(/^.*\/|\.[jt]s$/g, "")));
    expect(missing).toEqual([]);
  });

  // The test itself has what is in place of another project's source.
  const texts = [...withImports(examples), ...Object.keys(runBy)].map((path) => flush(read(path)));

  it.each(guides)("every block of %s runs somewhere", (guide) => {
    const blocks = blocksOf(read(guide)).filter(isCode);
    expect(blocks.length).toBeGreaterThan(0);
    const strangers = blocks.filter(({ lines }) => !texts.some((text) => text.includes(flush(lines))));
    expect(strangers).toEqual([]);
  });

  it.each(wholeFolders)("docs/how-to/%s.md shows its files whole", (guide, notShown = "") => {
    const files = filesIn(`docs/examples/${guide}`).filter((path) => !path.endsWith(`/${notShown}`));
    const shown = blocksOf(read(`docs/how-to/${guide}.md`)).filter(isCode);
    expect(shown.map(({ lines }) => lines).toSorted()).toEqual(
      files.map((path) => read(path).trimEnd()).toSorted(),
    );
  });

  it.each(guides)("%s shows TypeScript", (guide) => {
    expect(blocksOf(read(guide)).filter((block) => isCode(block) && block.language !== "ts")).toEqual([]);
  });

  it("lines that run nowhere are noticed", () => {
    expect(texts.some((text) => text.includes(["const never", "= written;"].join(" ")))).toBe(false);
  });
});
