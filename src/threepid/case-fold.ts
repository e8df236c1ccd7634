import { expansions, runs } from "./case-fold-table.js";

const number = (digits: string | undefined, otherwise: number): number =>
  digits === undefined || digits === "" ? otherwise : Number.parseInt(digits, 36);

const table: ReadonlyMap<number, string> = (() => {
  const folded = new Map<number, string>();
  let end = 0;
  for (const run of runs.split(";")) {
    const [distance, length, step, shift] = run.split(",");
    const first = end + number(distance, 0);
    end = first + number(length, 0) * number(step, 1);
    for (let from = first; from <= end; from += number(step, 1))
      folded.set(from, String.fromCodePoint(from + number(shift, 0)));
  }
  for (const expansion of expansions.split(";")) {
    const [from, ...to] = expansion.split(",").map((digits) => number(digits, 0));
    if (from !== undefined) folded.set(from, String.fromCodePoint(...to));
  }
  return folded;
})();

/**
 * Full Unicode case folding, not Turkic, of Unicode 17.0.0 whatever the runtime knows, so
 * that two servers fold alike. Neither normalises nor trims.
 *
 * An e-mail address is case-folded: https://spec.matrix.org/v1.19/appendices/#e-mail
 *
 * @example
 * foldCase("Strauß@Example.com"); // "strauss@example.com"
 */
export const foldCase = (text: string): string => {
  let folded = "";
  for (const character of text) folded += table.get(character.codePointAt(0) ?? 0) ?? character;
  return folded;
};
