/**
 * `npm run generate` writes everything that is generated: the table of case folding, the page of errors and the report of
 * the API. `npm run check:generated` writes nothing, names what is stale and exits with 1.
 *
 * Names of pages narrow it down: `npm run generate -- docs/errors.md`. The report reads `dist`, which the scripts build before.
 */
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { apiReports } from "./api-report.js";
import { caseFoldTable } from "./case-fold-table.js";
import { errorsPage } from "./errors-page.js";

type Files = ReadonlyMap<string, string>;

/** Where generated files stand, and what makes them. A folder holds nothing else. */
const generators: Readonly<Record<string, () => Files | Promise<Files>>> = {
  "src/threepid/case-fold-table.ts": () => new Map([["src/threepid/case-fold-table.ts", caseFoldTable()]]),
  "docs/errors.md": () => new Map([["docs/errors.md", errorsPage()]]),
  "test/package/api": apiReports,
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { check: { type: "boolean", default: false } },
});

const root = fileURLToPath(new URL("../..", import.meta.url));

const stands = (path: string): string | undefined => {
  try {
    return readFileSync(join(root, path), "utf8");
  } catch {
    return undefined;
  }
};

/** Files in a generated folder that nothing makes any more. */
const leftovers = (place: string, files: Files): readonly string[] => {
  if (files.has(place) || !existsSync(join(root, place))) return [];
  return readdirSync(join(root, place))
    .map((name) => `${place}/${name}`)
    .filter((path) => !files.has(path));
};

const chosen = Object.entries(generators).filter(
  ([place]) => positionals.length === 0 || positionals.includes(place),
);
const stale: string[] = [];
const failed: string[] = [];

const renew = async (place: string, make: () => Files | Promise<Files>): Promise<void> => {
  const files = await make();
  const changed = [...files].filter(([path, text]) => stands(path) !== text);
  const left = leftovers(place, files);
  stale.push(...changed.map(([path]) => path), ...left);
  if (values.check) return;
  for (const [path, text] of changed) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  for (const path of left) rmSync(join(root, path));
};

for (const [place, make] of chosen)
  try {
    await renew(place, make);
  } catch (thrown) {
    failed.push(`${place}: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
  }

for (const path of stale) console.log(`${path} ${values.check ? "is stale: npm run generate" : "renewed"}`);
for (const line of failed) console.error(line);
if (failed.length > 0 || (values.check && stale.length > 0)) process.exitCode = 1;
if (chosen.length === 0) {
  console.error(`there are ${Object.keys(generators).join(", ")}`);
  process.exitCode = 2;
}
