import type { Tally } from "./case.js";

/** How the library does with one file. */
export interface FileResult {
  readonly file: string;
  readonly tally: Tally;
}

const columns = ["cases", "agree", "disagree", "skipped"] as const;

/** The results as a table for people, with a line below it for each disagreement. */
export const tableOf = (results: readonly FileResult[]): string => {
  const sum = (column: (typeof columns)[number]): number =>
    results.reduce((total, { tally }) => total + tally[column], 0);
  const rows = [
    ["file", ...columns.map((column) => (column === "skipped" ? "left open" : column))],
    ...results.map(({ file, tally }) => [file, ...columns.map((column) => String(tally[column]))]),
    ["together", ...columns.map((column) => String(sum(column)))],
  ];
  const widths = rows.reduce<readonly number[]>(
    (most, row) => row.map((text, at) => Math.max(text.length, most[at] ?? 0)),
    [],
  );
  const lines = rows.map((row) =>
    row
      .map((text, at) => (at === 0 ? text.padEnd(widths[at] ?? 0) : text.padStart(widths[at] ?? 0)))
      .join("  "),
  );
  const wrong = results.flatMap(({ file, tally }) =>
    tally.disagreements.map(
      ({ case: name, question, engine, expected, said }) =>
        `${file}: ${name}: ${question} (${engine}): expected ${JSON.stringify(expected)}, got ${JSON.stringify(said ?? null)}`,
    ),
  );
  return [...lines, ...(wrong.length > 0 ? ["", ...wrong] : [])].join("\n");
};
