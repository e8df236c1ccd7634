import { expect, test } from "vitest";
import { blocksOf, read } from "../docs/pages.js";
import { asPrinted } from "../docs/printed.js";
import { runExample } from "./run-example.js";

test("the README's first run prints the event that the README shows", async () => {
  const { code, stdout, stderr } = await runExample("ten-lines.ts");
  expect(code, stderr).toBe(0);
  const [shown = ""] = blocksOf(read("README.md")).flatMap(({ language, lines }) =>
    language === "text" ? [lines] : [],
  );
  expect(asPrinted(shown, stdout.trimEnd())).toBe(shown);
});
