import { expect, test } from "vitest";
import { pages, read } from "./pages.js";

const { scripts } = JSON.parse(read("package.json")) as {
  readonly scripts: Readonly<Record<string, string>>;
};

/** What runs in the place of a script that writes, fetches a lot, or runs the same tests. */
const standIns: Readonly<Record<string, string>> = {
  format: "lint",
  generate: "check:generated",
  "generate:errors": "check:generated",
  "test:all": "test",
  "test:quick": "test",
  "test:runtimes": "check:package",
};

/** The scripts that a text runs, as people type them. */
const scriptsIn = (text: string): readonly string[] => [
  ...new Set(
    [...text.matchAll(/\bnpm (?:run (?:--silent )?)?([a-z][a-z:-]*)/g)]
      .filter(([whole, name]) => whole !== `npm ${name}` || name === "test")
      .map(([, name = ""]) => name),
  ),
];

const documented = scriptsIn(pages.map(read).join("\n"));
const inCi = scriptsIn(read(".ci/run").replaceAll(/^\s*#.*$/gm, ""));

/** Those that run, with those that they run in turn. */
const reached = (names: readonly string[]): readonly string[] =>
  names.flatMap((name) => [name, ...reached(scriptsIn(scripts[name] ?? ""))]);
const run = new Set(reached(inCi));

test("commands are found", () => {
  expect(
    scriptsIn("npm ci, npm test, `npm run --silent bench -- --json`, npm run check:unused\nnpm install x"),
  ).toEqual(["test", "bench", "check:unused"]);
  expect(documented).toEqual(
    expect.arrayContaining(["test", "bench", "simulate:planted", "generate:errors"]),
  );
  expect([...run]).toEqual(expect.arrayContaining(["test", "check:unused", "build"]));
  expect(run).not.toContain("format");
});

test.each(documented)(
  "npm run %s, which a page names, is a script, and .ci/run runs it in some form",
  (name) => {
    expect(Object.keys(scripts)).toContain(name);
    expect(run).toContain(standIns[name] ?? name);
  },
);

test.each(Object.keys(standIns))("%s needs its stand-in", (name) => {
  expect(documented).toContain(name);
  expect(run).not.toContain(name);
});
