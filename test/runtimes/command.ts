import { execFile } from "node:child_process";

/** How a command ended. */
export interface Ended {
  readonly isGood: boolean;
  readonly out: string;
  readonly err: string;
  readonly milliseconds: number;
}

/** Runs a command to its end, ten minutes at most. Never rejects: one that does not start has ended badly. */
export const run = (command: string, args: readonly string[], cwd: string): Promise<Ended> =>
  new Promise((resolve) => {
    const began = performance.now();
    const env = { ...process.env, NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" };
    const options = { cwd, env, maxBuffer: 64 * 1024 * 1024, timeout: 600_000 };
    execFile(command, args, options, (error, out, err) => {
      const milliseconds = Math.round(performance.now() - began);
      resolve({ isGood: error === null, out, err: err || (error?.message ?? ""), milliseconds });
    });
  });

/** What a command says, for those that have to succeed. */
export const outputOf = async (command: string, args: readonly string[], cwd: string): Promise<string> => {
  const { isGood, out, err } = await run(command, args, cwd);
  if (!isGood) throw new Error(`${command} ${args.join(" ")}: ${err}${out}`);
  return out;
};
