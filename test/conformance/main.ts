import { readFileSync } from "node:fs";
import { tally } from "./case.js";
import { readDataFile } from "./data-file.js";
import { engines } from "./engines.js";
import { type FileResult, tableOf } from "./table.js";

// npm run --silent conformance -- [--table] FILE…
//
// Asks the library every case of every file, with every engine. One line of JSON for each file, then one for each
// disagreement; with --table a table. Exit 1 where there is a disagreement, else 2 where a file is not understood.

const isTerminal = process.stderr.isTTY;

const args = process.argv.slice(2);
const isTable = args.includes("--table");
const files = args.filter((arg) => arg !== "--table");

const ask = (file: string): (FileResult & { readonly kind: string }) | undefined => {
  try {
    const { kind, cases } = readDataFile(readFileSync(file));
    const progress = (done: number): void => {
      if (isTerminal && done % 20 === 0) process.stderr.write(`\r${file} ${done}/${cases.length}\x1b[K`);
    };
    const found = tally(cases, () => engines, progress);
    if (isTerminal) process.stderr.write("\r\x1b[K");
    return { file, kind, tally: found };
  } catch (thrown) {
    console.error(`${file}: not understood: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
    return undefined;
  }
};

const printLines = (file: string, kind: string, { disagreements, ...counts }: FileResult["tally"]): void => {
  console.log(JSON.stringify({ file, kind, ...counts }));
  for (const { case: name, expected, said, question, engine } of disagreements)
    console.log(JSON.stringify({ case: name, expected, said: said ?? null, question, engine, file }));
};

if (files.length === 0) console.error("usage: npm run --silent conformance -- [--table] FILE…");
const results: FileResult[] = [];
for (const file of files) {
  const result = ask(file);
  if (result === undefined) continue;
  if (!isTable) printLines(file, result.kind, result.tally);
  results.push(result);
}
if (isTable && results.length > 0) console.log(tableOf(results));
if (results.some((one) => one.tally.disagree > 0)) process.exitCode = 1;
else if (results.length < files.length || files.length === 0) process.exitCode = 2;
