import { readFileSync, readdirSync } from "node:fs";
import { expect, test } from "vitest";
import { tally } from "./case.js";
import { readDataFile } from "./data-file.js";

const fixtures = new URL("../fixtures/", import.meta.url);

const files = ["corpus", "peers", "transcripts"].flatMap((folder) =>
  readdirSync(new URL(`${folder}/`, fixtures)).map((name) => `${folder}/${name}`),
);

test.each(files)("nothing in %s is answered otherwise", (name) => {
  const { cases } = readDataFile(readFileSync(new URL(name, fixtures)));
  const { agree, skipped, disagreements } = tally(cases);
  expect(disagreements).toEqual([]);
  expect(agree).toBeGreaterThan(skipped);
});
