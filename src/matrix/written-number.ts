/**
 * A number that no JavaScript number keeps as it was written: `1.0`, `1e10`, `0.10`, 2^53 and beyond. Events of room
 * versions 1 to 5 may hold such numbers, and are hashed and signed over the spelling. `Number(it)` is its value as
 * near as a double comes; `JSON.stringify` writes that, so a host that keeps such events keeps their text.
 */
export class WrittenNumber {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  toString(): string {
    return this.#text;
  }

  valueOf(): number {
    return Number(this.#text);
  }

  toJSON(): number {
    return this.valueOf();
  }
}

const decimal = /^-?([0-9]+)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]+))?$/;

/** By hand: a pattern that looks for zeros at the end begins anew at each zero in the middle. */
const withoutLastZeros = (digits: string): string => {
  let end = digits.length;
  while (digits[end - 1] === "0") end -= 1;
  return digits.slice(0, end);
};

/**
 * The integer that a JSON number is, however it is written, or `undefined` where it is none or lies outside
 * [-(2^53)+1, 2^53-1]. Exact: `1e-400` is no zero, and 2^53-1 with a fraction of its own no 2^53-1.
 */
export const exactInteger = (written: string): number | undefined => {
  const [, whole = "", fraction = "", exponent = "0"] = decimal.exec(written) ?? [];
  const digits = (whole + fraction).replace(/^0+/, "");
  const significant = withoutLastZeros(digits);
  if (significant === "") return 0;
  const zeros = Number(exponent) - fraction.length + digits.length - significant.length;
  if (zeros < 0 || significant.length + zeros > 16) return undefined;
  const value = Number(significant + "0".repeat(zeros)) * (written.startsWith("-") ? -1 : 1);
  return Number.isSafeInteger(value) ? value : undefined;
};
