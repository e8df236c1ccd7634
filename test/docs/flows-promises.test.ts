import { createThirdPartyInvites } from "matrix-third-party-invites";
import { isJsonObject, member } from "matrix-third-party-invites/matrix";
import { describe, expect, it } from "vitest";
import { openWorld } from "../flows/ports.js";
import { read, rowsOf, tablesOf } from "./flows-page.js";
import { record } from "./flows-record.js";
import { runs } from "./flows-runs.js";

const tables = tablesOf(read("docs/stability.md"));
const rowsUnder = (heading: string) => rowsOf(tables.get(heading) ?? "");

const plain = (cell: string): string => cell.replaceAll("`", "");
const listed = (cell: string | undefined): readonly string[] =>
  cell === undefined || cell === "–" ? [] : plain(cell).split(", ");

describe("cancelling", () => {
  /** The calls that do not get the caller's signal, in all runs of a flow. */
  const withoutSignal = async (flow: string): Promise<readonly string[]> => {
    const without = new Set<string>();
    for (const run of Object.values(runs).filter((one) => one.flow === flow)) {
      const world = openWorld(run.options);
      await run.before?.(world);
      const { ports, drawn } = record(world);
      await run.call(createThirdPartyInvites(ports), { signal: new AbortController().signal });
      for (const { port, text, hasSignal } of drawn)
        if (!hasSignal) without.add(`${port}.${text.replace(/\(.*/, "")}`);
    }
    return [...without].toSorted();
  };

  const rows = rowsUnder("Cancelling").map(([flow = "", calls]) => [plain(flow), listed(calls)] as const);

  it("every flow that is drawn has a row", () => {
    expect(rows.map(([flow]) => flow)).toEqual([...new Set(Object.values(runs).map(({ flow }) => flow))]);
  });

  it.each(rows)("%s", async (flow, calls) => {
    expect(calls).toEqual(await withoutSignal(flow));
  });
});

describe("watching", () => {
  const source = read("src/ports.ts");
  const union = /export type Observation =([^]*?)\n\/\*\*/.exec(source)?.[1] ?? "";
  const tags = [...union.matchAll(/_tag: "(\w+)"/g)].map(([, tag = ""]) => tag);

  it("the page has each observation, and no other", () => {
    expect(tags.length).toBeGreaterThan(5);
    expect(rowsUnder("Watching").map(([tag = ""]) => plain(tag))).toEqual(tags);
  });

  it("with what it says", () => {
    const said = union
      .split("_tag: ")
      .slice(1)
      .map((one) => [...one.matchAll(/readonly (\w+)\??:/g)].map(([, name]) => name));
    const occasion = ["flow", "roomId", "userId"];
    expect(rowsUnder("Watching").map(([, fields]) => listed(fields))).toEqual(
      said.map((fields, at) => [
        ...fields.filter((name) => name !== "_tag"),
        ...(at < said.length - 2 ? [] : occasion),
      ]),
    );
  });
});

it("the entry points are those of package.json", () => {
  const exports = member(JSON.parse(read("package.json")), "exports");
  expect(rowsUnder("Stability").map(([name = ""]) => plain(name))).toEqual(
    Object.keys(isJsonObject(exports) ? exports : {}).filter((name) => name !== "./package.json"),
  );
});
