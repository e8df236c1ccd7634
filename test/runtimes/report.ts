/** What one engine said in one runtime. */
export interface EngineReport {
  readonly engine: string;
  readonly agree: number;
  readonly disagree: number;
  /** Cases that the data leaves open: they must be answered, and alike everywhere. */
  readonly undecided: number;
  readonly milliseconds: number;
  /** The first few that were answered otherwise than the data says. */
  readonly wrong: readonly string[];
  /** A digest of what was said, by case. */
  readonly answers: Readonly<Record<string, string>>;
}

/** What a runtime reports: one line of JSON. */
export type SuiteReport = readonly EngineReport[];

/** A report, and whose it is. */
export interface Said {
  readonly runtime: string;
  readonly report: SuiteReport;
}

const shown = (names: readonly string[]): string =>
  names.length > 5 ? `${names.slice(0, 5).join(", ")} and ${names.length - 5} more` : names.join(", ");

/**
 * Everything that is wrong with these reports, a line each: a case answered otherwise than the data says, and one that
 * two engines, in the same runtime or in two, answer differently. The first engine is what the others are held against.
 */
export const complaints = (all: readonly Said[]): readonly string[] => {
  const said = all.flatMap(({ runtime, report }) =>
    report.map((one) => ({ ...one, who: `${runtime}, ${one.engine} engine` })),
  );
  const silent = all.filter(({ report }) => !report.some(({ agree }) => agree > 0));
  const wrong = said.flatMap(({ who, disagree, wrong: which }) =>
    disagree === 0 ? [] : [`${who}: ${disagree} disagree with the data: ${shown(which)}`],
  );
  const [first, ...others] = said;
  const differing = others.flatMap(({ who, answers }) => {
    const names = new Set([...Object.keys(first?.answers ?? {}), ...Object.keys(answers)]);
    const differ = [...names].filter((name) => answers[name] !== first?.answers[name]);
    return differ.length === 0
      ? []
      : [`${who}: answers differently from ${first?.who ?? "nobody"}: ${shown(differ)}`];
  });
  return [...silent.map(({ runtime }) => `${runtime}: judged nothing`), ...wrong, ...differing];
};
