/**
 * `npm run test:runtimes`: the library from its tarball in every runtime that it promises, on one suite of cases, its types
 * in every TypeScript, its storage over every embedded database, and the example for Workers. Fetches the runtimes and compilers (about 800 MB unpacked) into a temporary folder.
 *
 *     npm run test:runtimes -- --here          # only what this machine has
 *     npm run test:runtimes -- --only bun      # one, or all whose names begin so
 *     npm run --silent test:runtimes -- --json
 *
 * Exit 1 where anything failed, or any two answered one case differently.
 */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { bundleForBrowser, bundleSuite } from "./bundle.js";
import { findChromium, runInChromium } from "./chromium.js";
import { outputOf, run } from "./command.js";
import { type Embedded, type KitReport, embedded } from "./embedded.js";
import { programs } from "./programs.js";
import { type Said, type SuiteReport, complaints } from "./report.js";
import { type Runtime, nodeAtHand, runtimes } from "./runtimes.js";
import { withSandbox } from "./sandbox.js";
import { type Compiler, compile, compilerAtHand, compilers } from "./typescript.js";
import { type Row, lineOf } from "./row.js";
import { inWorker, workers } from "./worker.js";

const { values: flags } = parseArgs({
  options: {
    here: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    only: { type: "string", default: "" },
  },
});

const chosen = <A extends { readonly name: string }>(all: readonly A[]): readonly A[] =>
  all.filter(({ name }) => name.startsWith(flags.only));

const rows: Row[] = [];
const said: Said[] = [];

const add = (row: Row): void => {
  rows.push(row);
  if (process.stderr.isTTY) process.stderr.write("\r\u001b[K");
  if (!flags.json) console.log(lineOf(row));
};

const begin = (what: string): void => {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${what} …`);
};

const messageOf = (thrown: unknown): string => (thrown instanceof Error ? thrown.message : String(thrown));

/** Whatever goes wrong within is a row that says so. */
const attempt = async (name: string, find: () => Promise<Row>): Promise<void> => {
  begin(name);
  try {
    add(await find());
  } catch (thrown) {
    add({ name, verdict: "failed", notes: [messageOf(thrown)] });
  }
};

const keep = (runtime: string, output: string): Omit<Row, "name"> => {
  if (output.startsWith("failed: ")) throw new Error(output);
  const report = JSON.parse(output) as SuiteReport;
  const own = { runtime, report };
  said.push(own);
  return { verdict: complaints([own]).length === 0 ? "good" : "failed", report };
};

const inRuntime = async (runtime: Runtime, folder: string): Promise<Row> => {
  const binary = runtime.find(folder);
  if (binary === undefined)
    return { name: runtime.name, verdict: "failed", notes: ["npm did not install it"] };
  const version = runtime.version.exec(await outputOf(binary, ["--version"], folder))?.[1] ?? "";
  const kept = keep(runtime.name, await outputOf(binary, [...runtime.args, "on-server.mjs"], folder));
  const notes: string[] = [];
  for (const program of ["require.cjs", "instances.mjs"]) {
    const { isGood, out, err } = await run(binary, [...runtime.args, program], folder);
    if (!isGood) return { ...kept, name: runtime.name, version, verdict: "failed", notes: [err.trim()] };
    notes.push(out.trim());
  }
  return { ...kept, name: runtime.name, version, notes };
};

const inChromium = async (folder: string): Promise<Row> => {
  const name = "chromium";
  const binary = findChromium();
  if (binary === undefined) return { name, verdict: "skipped", notes: ["there is none on PATH"] };
  const version = /(\d[\d.]+)/.exec(await outputOf(binary, ["--version"], folder))?.[1] ?? "";
  const script = await bundleForBrowser(join(folder, "in-page.mjs"));
  return { ...keep(name, await runInChromium(binary, script, join(folder, "profile"))), name, version };
};

const withCompiler = async (compiler: Compiler, folder: string): Promise<Row> => {
  const began = performance.now();
  const { projects, version, errors } = await compile(compiler, folder);
  const milliseconds = Math.round(performance.now() - began);
  if (errors.length > 0) return { name: compiler.name, version, verdict: "failed", notes: errors };
  return {
    name: compiler.name,
    version,
    verdict: "good",
    milliseconds,
    notes: [`compiles for ${projects.join(", ")}`],
  };
};

const withEmbedded = async ({ name, runtime, program }: Embedded, folder: string): Promise<Row> => {
  const binary = runtime.find(folder);
  if (binary === undefined) return { name, verdict: "failed", notes: ["npm did not install it"] };
  await writeFile(join(folder, "contract.mjs"), program);
  const began = performance.now();
  const said = await outputOf(binary, [...runtime.args, "contract.mjs"], folder);
  const { passed, skipped, failed } = JSON.parse(said) as KitReport;
  return {
    name,
    verdict: failed.length === 0 && passed > 0 ? "good" : "failed",
    milliseconds: Math.round(performance.now() - began),
    notes: [`keeps the storage contract: ${passed} passed, ${skipped} skipped`, ...failed],
  };
};

const ran = chosen(flags.here ? [nodeAtHand] : runtimes);
const compiled = chosen(flags.here ? [compilerAtHand] : compilers);
const packages = [...ran, ...compiled].flatMap((one) => (one.package === undefined ? [] : [one.package]));

const isNeeded = ran.length > 0 || compiled.length > 0 || chosen([{ name: "chromium" }]).length > 0;
if (isNeeded) begin("installing");
if (isNeeded)
  await withSandbox(Object.fromEntries(packages), async (folder) => {
    await bundleSuite(join(folder, "suite.mjs"));
    for (const [file, text] of Object.entries(programs)) await writeFile(join(folder, file), text);
    for (const runtime of ran) await attempt(runtime.name, () => inRuntime(runtime, folder));
    if (chosen([{ name: "chromium" }]).length > 0) await attempt("chromium", () => inChromium(folder));
    for (const compiler of compiled) await attempt(compiler.name, () => withCompiler(compiler, folder));
  });

// In a folder of their own: what one of them brings along is an optional peer of ours.
const stored = flags.here ? [] : chosen(embedded);
const drivers = stored.flatMap((one) =>
  [one.package, one.runtime.package].filter((its) => its !== undefined),
);
if (stored.length > 0) begin("installing");
if (stored.length > 0)
  await withSandbox(Object.fromEntries(drivers), async (folder) => {
    for (const one of stored) await attempt(one.name, () => withEmbedded(one, folder));
  });

const isOnWorkers = !flags.here && chosen([workers]).length > 0;
if (isOnWorkers) begin("installing");
if (isOnWorkers)
  await withSandbox(Object.fromEntries([workers.package]), (folder) =>
    attempt(workers.name, () => inWorker(folder)),
  );

const wrong = complaints(said);
// The digests are for comparing here: one line of them is a hundred times the rest.
if (flags.json)
  console.log(
    JSON.stringify({ rows, wrong }, (key, value: unknown) => (key === "answers" ? undefined : value)),
  );
for (const line of wrong) console.error(line);
if (rows.length === 0) console.error(`nothing here has a name that begins with ${flags.only}`);
process.exitCode =
  wrong.length > 0 || rows.length === 0 || rows.some(({ verdict }) => verdict === "failed") ? 1 : 0;
