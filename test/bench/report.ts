import { cpus } from "node:os";
import type { Summary } from "./harness.js";

/** A figure as it was found; `low` and `high` are the quartiles of its rounds. */
export interface Finding extends Summary {
  readonly unit: string;
  readonly target: number | null;
}

export interface Report {
  readonly machine: string;
  readonly node: string;
  readonly date: string;
  readonly figures: Readonly<Record<string, Finding>>;
}

export const reportOf = (figures: Readonly<Record<string, Finding>>): Report => ({
  machine: `${cpus()[0]?.model ?? "unknown processor"}, ${cpus().length} threads`,
  node: process.version,
  date: new Date().toISOString(),
  figures,
});

const written = (value: number, unit: string): string =>
  unit === "ns" ? value.toFixed(1) : unit === "µs" ? value.toFixed(2) : value.toFixed(3);

const rowOf = ([name, { value, low, high, unit, target }]: readonly [string, Finding]): readonly string[] => [
  name,
  `${written(value, unit)} ${unit}`,
  `${written(low, unit)} – ${written(high, unit)}`,
  target === null ? "–" : `≤ ${target} ${unit}`,
  target === null ? "" : value <= target ? "ok" : "missed",
];

/** The report for people: the machine, and an aligned row for each figure. */
export const tableOf = ({ machine, node, date, figures }: Report): string => {
  const rows = [["figure", "median", "quartiles", "target", ""], ...Object.entries(figures).map(rowOf)];
  const width = (column: number): number => Math.max(...rows.map((row) => row[column]?.length ?? 0));
  const lines = rows.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(width(column)) : cell.padStart(width(column))))
      .join("  ")
      .trimEnd(),
  );
  return [`${machine}; Node ${node}; ${date}`, "", ...lines].join("\n");
};
