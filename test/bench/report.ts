import { cpus } from "node:os";
import type { Found, Unit } from "./figure.js";

/** A figure as it was found; `low` and `high` are the quartiles of its rounds. */
export interface Finding extends Found {
  readonly unit: Unit;
  readonly target: number | null;
}

export interface Report {
  readonly machine: string;
  readonly node: string;
  readonly date: string;
  readonly figures: Readonly<Record<string, Finding>>;
  /** What is not installed, by the figure that needs it; left out where nothing is missing. */
  readonly absent?: Readonly<Record<string, string>>;
}

export const reportOf = (
  figures: Readonly<Record<string, Finding>>,
  absent: Readonly<Record<string, string>>,
): Report => ({
  machine: `${cpus()[0]?.model ?? "unknown processor"}, ${cpus().length} threads`,
  node: process.version,
  date: new Date().toISOString(),
  figures,
  ...(Object.keys(absent).length === 0 ? {} : { absent }),
});

const digits: Readonly<Record<Unit, number>> = { ratio: 3, ns: 1, µs: 2, ms: 2, KB: 1 };

const written = (value: number, unit: Unit): string => value.toFixed(digits[unit]);

const rowOf = ([name, { value, low, high, unit, target }]: readonly [string, Finding]): readonly string[] => [
  name,
  `${written(value, unit)} ${unit}`,
  `${written(low, unit)} – ${written(high, unit)}`,
  target === null ? "–" : `≤ ${target} ${unit}`,
  target === null ? "" : value <= target ? "ok" : "missed",
];

/** What stands under the table for a figure. */
const remarksOf = ([name, { notes = [], theirs, ours, points = [] }]: readonly [
  string,
  Finding,
]): readonly string[] => {
  const score = (who: string, given: Finding["theirs"]): readonly string[] =>
    given === undefined
      ? []
      : [`${who} right on ${given.right} of ${given.of} ${JSON.stringify(given.wrong)}`];
  const curve = points.map(({ size, value }) => `${size}: ${value.toFixed(2)}`).join(", ");
  return [...notes, ...score("they", theirs), ...score("we", ours), ...(curve === "" ? [] : [curve])].map(
    (remark) => `${name}: ${remark}`,
  );
};

/** The report for people: the machine, an aligned row for each figure, and the remarks. */
export const tableOf = ({ machine, node, date, figures, absent = {} }: Report): string => {
  const rows = [
    ["figure", "median", "quartiles", "target", ""],
    ...Object.entries(figures).map(rowOf),
    ...Object.keys(absent).map((name) => [name, "–", "–", "–", "not installed"]),
  ];
  const width = (column: number): number => Math.max(...rows.map((row) => row[column]?.length ?? 0));
  const lines = rows.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(width(column)) : cell.padStart(width(column))))
      .join("  ")
      .trimEnd(),
  );
  const remarks = [
    ...Object.entries(figures).flatMap(remarksOf),
    ...Object.entries(absent).map(([name, reason]) => `${name}: ${reason}`),
  ];
  return [`${machine}; Node ${node}; ${date}`, "", ...lines, "", ...remarks].join("\n").trimEnd();
};
