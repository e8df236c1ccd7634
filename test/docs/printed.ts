import { spawn } from "node:child_process";
import { dirname, join, resolve } from "node:path";
import { transform } from "esbuild";
import { blocksOf, filesIn, isCode, read } from "./pages.js";

const root = resolve(import.meta.dirname, "../..");

/** One step of a page's program: its lines, and what the page says that they print. */
interface Step {
  readonly lines: string;
  readonly printed: string;
}

/** The blocks of a page that make its program, in their order; not those that show a file beside it, whole. */
export const stepsOf = (page: string, program: string): readonly Step[] => {
  const beside = filesIn(dirname(program)).filter((path) => path !== program);
  const modules = new Set(beside.map((path) => read(path).trimEnd()));
  const steps: Step[] = [];
  for (const block of blocksOf(read(page))) {
    const last = steps.at(-1);
    if (isCode(block) && !modules.has(block.lines)) steps.push({ lines: block.lines, printed: "" });
    else if (block.language === "text" && last !== undefined)
      steps.splice(-1, 1, { ...last, printed: block.lines });
  }
  return steps;
};

/** The program that a reader has who wrote one block under the other. */
export const programOf = (steps: readonly Step[]): string =>
  `${steps.map(({ lines }) => lines).join("\n\n")}\n`;

/** Runs a program in JavaScript in that folder, in a process of its own; rejects if it fails. */
const runIn = (folder: string, source: string): Promise<string> =>
  new Promise((fulfil, reject) => {
    const child = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-"], {
      cwd: join(root, folder),
      env: { ...process.env, NO_COLOR: "1", FORCE_COLOR: undefined },
    });
    let [stdout, stderr] = ["", ""];
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
    });
    child.on("error", reject);
    child.on("close", (code) => {
      if (code === 0) fulfil(stdout);
      else reject(new Error(`It ended with ${code}: ${stderr}`));
    });
    child.stdin.end(source);
  });

const mark = "—— next step ——";

/** A program in TypeScript without its types. */
const withoutTypes = async (source: string): Promise<string> =>
  (await transform(source, { loader: "ts", format: "esm", target: "node20" })).code;

/** What each step prints, all of them run as one program, without its types. */
export const runSteps = async (folder: string, steps: readonly Step[]): Promise<readonly string[]> => {
  const source = steps.map(({ lines }) => `${lines}\nconsole.log("${mark}");`).join("\n");
  const parts = (await runIn(folder, await withoutTypes(source))).split(`${mark}\n`);
  return parts.slice(0, -1).map((part) => part.trimEnd());
};

/** What was printed, with the page's … in place of what differs from run to run. */
export const asPrinted = (page: string, actual: string): string => {
  const pattern = page.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&").replaceAll("…", "[^\\s']+");
  return new RegExp(`^${pattern}$`).test(actual) ? page : actual;
};
