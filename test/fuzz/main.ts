/** `npm run fuzz`: all properties on many inputs. See `usage` in cli.ts for what may be asked. */
import { fuzz } from "./cli.js";
import { properties } from "./properties.js";

const clearLine = "\r\u001b[K";

process.exitCode = fuzz(process.argv.slice(2), properties, {
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
