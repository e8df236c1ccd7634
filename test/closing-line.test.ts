import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const reporter = fileURLToPath(new URL("./closing-line.ts", import.meta.url));
const vitest = fileURLToPath(new URL("../node_modules/vitest/vitest.mjs", import.meta.url));

const passing = 'it("passes", () => {});';

interface Ran {
  readonly line: string;
  readonly exitCode: number;
}

/** A run of its own over these files, and how it ended. */
const ran = async (files: Readonly<Record<string, string>>): Promise<Ran> => {
  const root = await mkdtemp(join(tmpdir(), "closing-line-"));
  try {
    for (const [name, text] of Object.entries(files)) await writeFile(join(root, `${name}.test.js`), text);
    const args = [
      vitest,
      "run",
      "--globals",
      `--root=${root}`,
      "--reporter=default",
      `--reporter=${reporter}`,
    ];
    return await new Promise<Ran>((resolve) => {
      // Not the variables of this run: a run inside one takes itself for its worker.
      const env = Object.fromEntries(
        Object.entries(process.env).filter(
          ([name]) => !/^(?:VITEST|TEST$|NODE_ENV$|DEV$|PROD$|MODE$)/.test(name),
        ),
      );
      const child = execFile(process.execPath, args, { cwd: dirname(reporter), env }, (_, stdout) => {
        const line = stdout.split("\n").filter((one) => /^\d+ passed/.test(one));
        resolve({ line: line.join("\n"), exitCode: child.exitCode ?? -1 });
      });
    });
  } finally {
    await rm(root, { recursive: true, force: true });
  }
};

const cases: readonly (readonly [what: string, files: Record<string, string>, line: string])[] = [
  ["a test", { a: `${passing} it("fails", () => { throw new Error(); });` }, "1 passed, 1 failed, 0 skipped"],
  [
    "beforeAll of a file",
    { a: `beforeAll(() => { throw new Error(); }); ${passing} it("too", () => {});` },
    "0 passed, 1 failed, 2 skipped",
  ],
  [
    "beforeAll of a describe",
    { a: `${passing} describe("d", () => { beforeAll(() => { throw new Error(); }); ${passing} });` },
    "1 passed, 1 failed, 1 skipped",
  ],
  [
    "afterAll of a file",
    { a: `afterAll(() => { throw new Error(); }); ${passing}` },
    "1 passed, 1 failed, 0 skipped",
  ],
  [
    "afterAll of a describe in a describe",
    {
      a: `describe("d", () => describe("e", () => { afterAll(() => { throw new Error(); }); ${passing} }));`,
    },
    "1 passed, 1 failed, 0 skipped",
  ],
  [
    "beforeEach, for each test",
    { a: `beforeEach(() => { throw new Error(); }); ${passing} it("too", () => {});` },
    "0 passed, 2 failed, 0 skipped",
  ],
  ["a file that cannot be parsed", { a: passing, b: "it(" }, "1 passed, 1 failed, 0 skipped"],
  [
    "a file that imports what is not there",
    { a: passing, b: `import "./nowhere.js"; ${passing}` },
    "1 passed, 1 failed, 0 skipped",
  ],
  ["a file without tests", { a: passing, b: "export {};" }, "1 passed, 1 failed, 0 skipped"],
  [
    "a rejection that nobody handles",
    {
      a: `it("passes", async () => { void Promise.reject(new Error()); await new Promise((go) => setTimeout(go, 50)); });`,
    },
    "1 passed, 1 failed, 0 skipped",
  ],
  [
    "all of that at once",
    {
      a: `beforeAll(() => { throw new Error(); }); afterAll(() => { throw new Error(); }); ${passing}`,
      b: "it(",
      c: `describe("d", () => { afterAll(() => { throw new Error(); }); it("fails", () => { throw new Error(); }); ${passing} });`,
    },
    "1 passed, 5 failed, 1 skipped",
  ],
  ["a run that skips all", { a: `it.skip("is skipped", () => {});` }, "0 passed, 1 failed, 1 skipped"],
  ["a run without files", {}, "0 passed, 1 failed, 0 skipped"],
];

describe.concurrent("the closing line counts as failed, with an exit code that is not 0,", () => {
  it.for(cases)("%s", async ([, files, line], { expect: that }) => {
    const { line: said, exitCode } = await ran(files);
    that(said).toBe(line);
    that(exitCode).not.toBe(0);
  });
});

it("what passes, is skipped or is left to do is not failed", async () => {
  const files = {
    a: `${passing} it.skip("is skipped", () => {}); it.todo("is left to do");`,
    b: `describe.skip("d", () => { ${passing} }); ${passing}`,
  };
  expect(await ran(files)).toEqual({ line: "2 passed, 0 failed, 3 skipped", exitCode: 0 });
});
