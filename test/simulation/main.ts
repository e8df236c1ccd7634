/** `npm run simulate`: see `usage` in cli.ts for what may be asked. */
import { simulate } from "./cli.js";

const clearLine = "\r\u001b[K";

process.exitCode = await simulate(process.argv.slice(2), {
  print: (line) => {
    console.log(line);
  },
  complain: (line) => {
    console.error(line);
  },
  progress: (line) => {
    if (process.stderr.isTTY) process.stderr.write(clearLine + line);
  },
});
