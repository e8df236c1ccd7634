import { describe, expect, it } from "vitest";
import { lifeEdges, lifeTable } from "./flows-life.js";
import { parseStates } from "./flows-mermaid.js";
import { becomesOf, sceneNames } from "./flows-owed.js";
import { diagramsOf, read, rowsOf, tablesOf } from "./flows-page.js";

const page = read("docs/explanation.md");
const diagrams = diagramsOf(page);
const tables = tablesOf(page);

const textOf = (edge: { readonly from: string; readonly to: string; readonly text: string }): string =>
  `${edge.from} ${edge.to} ${edge.text}`;

describe("the life of an invite", () => {
  it("the table is what `advance` says", () => {
    expect(tables.get("The life of an invite")).toBe(lifeTable());
  });

  it("the diagram is what `advance` says", () => {
    const drawn = parseStates(diagrams.get("The life of an invite") ?? "");
    expect(drawn.map(textOf).toSorted()).toEqual(lifeEdges().map(textOf).toSorted());
  });
});

describe("the life of a redemption", () => {
  const rows = rowsOf(tables.get("The life of a redemption") ?? "");
  const codes = rows.map(([code = ""]) => code.replaceAll("`", ""));

  it("each row has a run, and each run a row", () => {
    expect(codes).toEqual(sceneNames);
  });

  it.each(rows.map(([code = "", becomes = ""]) => [code.replaceAll("`", ""), becomes] as const))(
    "%s: %s",
    async (code, becomes) => {
      expect(await becomesOf(code)).toBe(becomes);
    },
  );

  it("what the source names as passing, and nothing else among refusals, waits", () => {
    const passing = /const passing[^=]*= new Set<RefusalCode>\(\[([^\]]*)\]/.exec(
      read("src/flows/steps/work-on-claimed.ts"),
    )?.[1];
    const named = [...(passing ?? "").matchAll(/"(\w+)"/g)].map(([, code = ""]) => code);
    expect(named.length).toBeGreaterThan(2);
    const waiting = rows
      .filter(([, becomes]) => becomes === "waits")
      .map(([code = ""]) => code.replaceAll("`", ""));
    expect(named.filter((code) => !waiting.includes(code))).toEqual([]);
  });
});
