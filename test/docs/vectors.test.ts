import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { gunzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { readDataFile } from "../conformance/data-file.js";
import { blocksOf, filesIn, linksOf, read } from "./pages.js";

const root = resolve(import.meta.dirname, "../..");
const page = read("docs/vectors.md");

const rows = [...page.matchAll(/^\| \[`([^`]+)`\]\(([^)]+)\) \| (\d+) \|/gm)].map(
  ([, file = "", link = "", count = ""]) => ({ file, link, count: Number(count) }),
);

describe("docs/vectors.md", () => {
  test("links to every file of the test data", () => {
    const linked = linksOf(page).map((link) => join("docs", link));
    const data = ["corpus", "peers", "odd", "transcripts"].flatMap((folder) =>
      filesIn(`test/fixtures/${folder}`),
    );
    expect(data.filter((file) => !linked.includes(file))).toEqual([]);
    expect(rows).toHaveLength(12);
  });

  test.each(rows)("counts the cases of $file", ({ file, link, count }) => {
    expect(link).toBe(`../test/fixtures/${file}`);
    const data = readFileSync(join(root, "test/fixtures", file));
    const isLines = file.startsWith("odd/");
    expect(
      isLines ? gunzipSync(data).toString().trimEnd().split("\n").length : readDataFile(data).cases.length,
    ).toBe(count);
  });

  test("its Python runs, and finds nothing wrong", ({ skip }) => {
    const [block] = blocksOf(page).filter(({ language }) => language === "python");
    const ran = spawnSync("python3", ["-c", block?.lines ?? ""], {
      cwd: join(root, "test/fixtures/corpus"),
      encoding: "utf8",
    });
    if (ran.error !== undefined) skip("there is no Python here");
    expect([ran.stderr, ran.stdout]).toEqual(["", "14 cases, 0 wrong\n"]);
  });
});
