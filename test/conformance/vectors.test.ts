import { readFileSync, readdirSync } from "node:fs";
import { expect, test } from "vitest";
import { isAll } from "../all.js";
import { type Case, type Engine, tally } from "./case.js";
import { readDataFile } from "./data-file.js";
import { engines } from "./engines.js";

const fixtures = new URL("../fixtures/", import.meta.url);

const files = ["corpus", "peers", "transcripts"].flatMap((folder) =>
  readdirSync(new URL(`${folder}/`, fixtures)).map((name) => `${folder}/${name}`),
);

/** Of long files the slower engines are asked a sample, and whatever hangs on what a signature looks like; of bits fewer are turned. */
const sampleOf =
  ({ length }: readonly Case[]) =>
  ({ isEdge = false }: Case, at: number): readonly Engine[] =>
    engines.flatMap((engine) => {
      if (isAll) return [engine];
      const isAsked = engine.name === "node" || isEdge || length < 40 || at % 20 === 0;
      // Odd, so that it comes by every bit of a byte.
      return isAsked ? [{ ...engine, bitStep: 9 * engine.bitStep }] : [];
    });

test.each(files)("nothing in %s is answered otherwise", (name) => {
  const { cases } = readDataFile(readFileSync(new URL(name, fixtures)));
  const { agree, skipped, disagreements } = tally(cases, sampleOf(cases));
  expect(disagreements).toEqual([]);
  expect(agree).toBeGreaterThan(skipped);
});
