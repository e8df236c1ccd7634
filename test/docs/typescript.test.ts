import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { filesIn, read } from "./pages.js";

const run = promisify(execFile);
const root = resolve(import.meta.dirname, "../..");

/** What a compiler says of the examples: nothing where they are good. */
const compile = async (folder: string): Promise<string> => {
  const tsc = join(folder, "node_modules/typescript/bin/tsc");
  return run(process.execPath, [tsc, "--noEmit", "-p", "docs/examples"], { cwd: root }).then(
    ({ stdout }) => stdout,
    (failed: unknown) => (failed as { readonly stdout: string }).stdout,
  );
};

test("the examples compile under strict, noUncheckedIndexedAccess and exactOptionalPropertyTypes", async () => {
  const { compilerOptions } = JSON.parse(read("tsconfig.json")) as { readonly compilerOptions: object };
  expect(compilerOptions).toMatchObject({
    strict: true,
    noUncheckedIndexedAccess: true,
    exactOptionalPropertyTypes: true,
  });
  expect(await compile(root)).toBe("");
});

test("they compile with TypeScript 5.9, where npm can install it", async ({ skip }) => {
  const folder = await mkdtemp(join(tmpdir(), "typescript-"));
  try {
    const install = ["install", "--prefix", folder, "--no-save", "--prefer-offline", "typescript@~5.9"];
    await run("npm", install).catch((failed: unknown) => {
      skip(`npm cannot install it: ${String(failed)}`);
    });
    expect(await compile(folder)).toBe("");
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("no example is JavaScript", () => {
  expect(filesIn("docs/examples").filter((path) => /\.[cm]?js$/.test(path))).toEqual([]);
});
