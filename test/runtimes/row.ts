import type { SuiteReport } from "./report.js";

/** What became of one runtime or one compiler. */
export interface Row {
  readonly name: string;
  readonly version?: string;
  readonly verdict: "good" | "failed" | "skipped";
  readonly report?: SuiteReport;
  readonly milliseconds?: number;
  readonly notes?: readonly string[];
}

const seconds = (milliseconds: number): string => `${(milliseconds / 1000).toFixed(1)} s`;

/** One line, whose first columns are aligned. */
export const lineOf = ({
  name,
  version = "",
  verdict,
  report = [],
  milliseconds,
  notes = [],
}: Row): string => {
  const engines = report.map(
    ({ engine, agree, disagree, undecided, milliseconds: took }) =>
      `${engine}: ${agree} agree, ${disagree} disagree, ${undecided} undecided, ${seconds(took)}`,
  );
  const time = milliseconds === undefined ? [] : [seconds(milliseconds)];
  const rest = [...engines, ...notes, ...time].join("; ");
  return `${name.padEnd(18)} ${version.padEnd(15)} ${verdict.padEnd(7)} ${rest}`;
};
