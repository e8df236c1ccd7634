import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Deed } from "./kept-identity-server.js";
import type { EventLine, RequestLine, StepLine } from "./transcript.js";

/** What a run leaves for the next one on the same folder, beside the databases of the homeservers. */
export interface KeptRun {
  readonly seed: string;
  readonly deeds: Deed[];
  readonly requests: readonly RequestLine[];
  readonly events: readonly EventLine[];
  /** The steps that are over, and what the first of each room gave. */
  readonly steps: readonly StepLine[];
  readonly aheadMs: number;
}

const fileIn = (folder: string): string => join(folder, "demo.json");

export const readRun = (folder: string): KeptRun => {
  mkdirSync(folder, { recursive: true });
  const none = { requests: [], events: [], steps: [], aheadMs: 0 };
  return existsSync(fileIn(folder))
    ? (JSON.parse(readFileSync(fileIn(folder), "utf8")) as KeptRun)
    : { seed: randomBytes(16).toString("hex"), deeds: [], ...none };
};

/** Either all of it is written, or the file is as before. */
export const writeRun = (folder: string, run: KeptRun): void => {
  writeFileSync(`${fileIn(folder)}.new`, JSON.stringify(run));
  renameSync(`${fileIn(folder)}.new`, fileIn(folder));
};
