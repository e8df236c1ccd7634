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

/** The digit that a character is: the decimal digits of every script stand in a row, 0 first, and such rows may touch. */
const digitOf = (character: string): number => {
  const code = character.codePointAt(0) ?? 0;
  let first = code;
  while (/\p{Nd}/u.test(String.fromCodePoint(first - 1))) first -= 1;
  return (code - first) % 10;
};

/** Blanks as Python has them: JavaScript's own set has U+FEFF and lacks U+0085. */
const pythonInteger =
  /^[\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]*([+-]?)(\p{Nd}+(?:_\p{Nd}+)*)[\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]*$/u;

/** Python reads no longer text as an integer, since the time that it takes grows with the square. */
const maxDigits = 4_300;

/** A number where it is exact, and else a bigint; the two compare exactly with each other. */
const narrow = (value: bigint): number | bigint => {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
};

/**
 * The integer that a text is to Python's `int()`, exactly, or `undefined`: blanks around it, one sign, decimal digits of
 * any script, single underscores between them (D-186).
 */
export const integerText = (text: string): number | bigint | undefined => {
  const [, sign = "", written = ""] = pythonInteger.exec(text) ?? [];
  const digits = Array.from(written.replaceAll("_", ""));
  if (digits.length === 0 || digits.length > maxDigits) return undefined;
  const value = BigInt(
    digits.map((digit) => (digit >= "0" && digit <= "9" ? digit : digitOf(digit))).join(""),
  );
  return narrow(sign === "-" ? -value : value);
};
