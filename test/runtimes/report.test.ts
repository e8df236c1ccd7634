import { describe, expect, it } from "vitest";
import { type EngineReport, type Said, complaints } from "./report.js";

const engine: EngineReport = {
  engine: "portable",
  agree: 2,
  disagree: 0,
  undecided: 1,
  milliseconds: 5,
  wrong: [],
  answers: { a: "1", b: "2", c: "3" },
};

const said = (runtime: string, ...changes: readonly Partial<EngineReport>[]): Said => ({
  runtime,
  report: changes.map((change) => ({ ...engine, ...change })),
});

describe("reports of runtimes", () => {
  it("that say the same have no complaint", () => {
    expect(complaints([said("node", {}, { engine: "node", milliseconds: 1 }), said("bun", {})])).toEqual([]);
  });

  it.each<readonly [string, Said, string]>([
    [
      "another answer",
      said("bun", { answers: { ...engine.answers, c: "4" } }),
      "bun, portable engine: answers differently from node, portable engine: c",
    ],
    [
      "a case that was not asked",
      said("bun", { answers: { a: "1", b: "2" } }),
      "bun, portable engine: answers differently from node, portable engine: c",
    ],
    [
      "a case that nobody else was asked",
      said("bun", { answers: { ...engine.answers, d: "1" } }),
      "bun, portable engine: answers differently from node, portable engine: d",
    ],
    [
      "another answer of its second engine",
      said("bun", {}, { engine: "node", answers: { ...engine.answers, a: "9" } }),
      "bun, node engine: answers differently from node, portable engine: a",
    ],
    [
      "one against the data",
      said("bun", { disagree: 1, wrong: ["b: verify: true"] }),
      "bun, portable engine: 1 disagree with the data: b: verify: true",
    ],
    ["no engine", said("bun"), "bun: judged nothing"],
    ["nothing that agrees", said("bun", { agree: 0 }), "bun: judged nothing"],
  ])("%s is named", (_, other, complaint) => {
    expect(complaints([said("node", {}), other])).toEqual([complaint]);
  });
});
