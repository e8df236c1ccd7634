import { readFileSync, readdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { disagreement } from "./case.js";
import { readDataFile } from "./data-file.js";

const fixtures = new URL("../fixtures/", import.meta.url);

const files = ["corpus", "peers", "transcripts"].flatMap((folder) =>
  readdirSync(new URL(`${folder}/`, fixtures)).map((name) => `${folder}/${name}`),
);

describe.each(files)("%s", (name) => {
  const { cases } = readDataFile(readFileSync(new URL(name, fixtures)));

  test.each(cases.map((one) => [one.name, one] as const))("%s", (_name, one) => {
    expect(disagreement(one)).toBeUndefined();
  });
});
