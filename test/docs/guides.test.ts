import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { blocksOf, filesIn, guides, isCode, isThere, read } from "./pages.js";

/** The examples that tests run, by the test that does. What an example imports runs with it. */
const runBy: Readonly<Record<string, readonly string[]>> = {
  "test/docs/programs.test.ts": [
    "tutorial/invites.js",
    "revocation/revocation.js",
    "several-workers/crash.js",
    "moving/moving.js",
    "judge/received.js",
  ],
  "test/docs/judge.test.ts": ["judge/judge.js"],
  "test/docs/tutorial.test.ts": ["tutorial/answer.ts"],
  "test/docs/http.test.ts": ["http/own-routes.js"],
  "test/docs/moving.test.ts": ["moving/import-pending.js"],
  "test/docs/several-workers.test.ts": ["several-workers/worker.js"],
  "test/docs/identity-server.test.ts": ["identity-server/wire.js", "identity-server/embedded.js"],
  "test/docs/event-builder.test.ts": ["event-builder/contract.js", "event-builder/tutorial.js"],
  "test/http/examples.ts": [
    "http/node-http.js",
    "http/hono.js",
    "http/express.js",
    "http/express-parsed.js",
    "http/fastify.js",
  ],
  "test/postgres/how-to.test.ts": ["postgres/pg.js", "postgres/pglite.js", "postgres/contract.js"],
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

/** Pages that show the files of their folder whole, each once, and nothing else; and what stands there for the host's own. */
const wholeFolders: readonly (readonly [guide: string, notShown?: string])[] = [
  ["http", "ports.js"],
  ["postgres"],
  ["event-builder", "store.js"],
  ["identity-server"],
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

  // What stands for somebody else's source is in the test itself.
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

  it("lines that run nowhere are noticed", () => {
    expect(texts.some((text) => text.includes(["const never", "= written;"].join(" ")))).toBe(false);
  });
});
