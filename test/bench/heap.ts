import { setTimeout } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { type Summary, summarise } from "./harness.js";

setFlagsFromString("--expose-gc");
const collect: unknown = runInNewContext("gc");

/** Buffers that are dead leave the count only some time after a collection. */
const used = async (): Promise<number> => {
  if (typeof collect !== "function") throw new Error("The garbage cannot be collected.");
  for (let i = 0; i < 3; i += 1) {
    Reflect.apply(collect, undefined, []);
    await setTimeout(20);
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return (heapUsed + arrayBuffers) / 1024;
};

/** How the heap has grown, in KB, when `work` was done `times` times more; `repeats` times in a row, after a warm-up. */
export const heapAfter = async (
  work: (n: number) => void,
  times: number,
  repeats: number,
): Promise<Summary> => {
  const repeat = (): void => {
    for (let n = 0; n < times; n += 1) work(n);
  };
  repeat();
  const grown: number[] = [];
  for (let i = 0; i < repeats; i += 1) {
    const before = await used();
    repeat();
    grown.push((await used()) - before);
  }
  return summarise(grown);
};
