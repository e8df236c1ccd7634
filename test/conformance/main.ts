import { readFileSync } from "node:fs";
import { tally } from "./case.js";
import { readDataFile } from "./data-file.js";
import { engines } from "./engines.js";

// npm run --silent conformance -- FILE…
//
// Asks the library every case of every file, with every engine. One line of JSON for each file, then one for each
// disagreement. Exit 1 where there is one, else 2 where a file is not understood.

const isTerminal = process.stderr.isTTY;

const run = (file: string): "agrees" | "disagrees" | "not understood" => {
  try {
    const { kind, cases } = readDataFile(readFileSync(file));
    const progress = (done: number): void => {
      if (isTerminal && done % 20 === 0) process.stderr.write(`\r${file} ${done}/${cases.length}\x1b[K`);
    };
    const { disagreements, ...counts } = tally(cases, () => engines, progress);
    if (isTerminal) process.stderr.write("\r\x1b[K");
    console.log(JSON.stringify({ file, kind, ...counts }));
    for (const { case: name, expected, said, question, engine } of disagreements)
      console.log(JSON.stringify({ case: name, expected, said: said ?? null, question, engine, file }));
    return disagreements.length > 0 ? "disagrees" : "agrees";
  } catch (thrown) {
    console.error(`${file}: not understood: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
    return "not understood";
  }
};

const files = process.argv.slice(2);
if (files.length === 0) console.error("usage: npm run --silent conformance -- FILE…");
const results = new Set(files.map(run));
process.exitCode = results.has("disagrees") ? 1 : results.has("not understood") || files.length === 0 ? 2 : 0;
