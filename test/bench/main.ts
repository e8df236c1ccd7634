/**
 * `npm run bench`: see `usage` in cli.ts for what may be asked.
 *
 * It measures the built package: the script builds, and gives tsx a configuration without `paths`, so that the
 * package's name leads to dist. From src, tsx would wrap the functions that the library makes in passing, to keep their
 * names: measured, that makes `canonicalOverStringify.1k` and `eventIdOverSha256` 3 to 5 % worse than they are.
 */
import { writeFileSync } from "node:fs";
import { bench } from "./cli.js";
import { figures } from "./figures.js";

const clearLine = "\r\u001b[K";

process.exitCode = await bench(process.argv.slice(2), figures, {
  print: (line) => {
    console.log(line);
  },
  complain: (line) => {
    console.error(line);
  },
  progress: (line) => {
    if (process.stderr.isTTY) process.stderr.write(clearLine + line);
  },
  write: (file, text) => {
    writeFileSync(file, text);
  },
});
