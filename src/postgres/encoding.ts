import { isLeft } from "fp-ts/lib/Either.js";
import { canonicalJson } from "../matrix/canonical-json.js";
import { parseStrict } from "../matrix/strict-json.js";

/**
 * A text as a column has it. Strangers write tokens and errcodes, and a text of PostgreSQL holds neither U+0000 nor half
 * a surrogate pair: these, quotation marks and backslashes stand as JSON escapes them. Everything else is itself.
 */
export const storedText = (text: string): string => JSON.stringify(text).slice(1, -1);

/** The text that {@link storedText} has made this of. */
export const originalText = (stored: string): string => {
  const text: unknown = JSON.parse(`"${stored}"`);
  if (typeof text !== "string") throw new TypeError("A column holds no text of ours.");
  return text;
};

/**
 * A `signed` object as text. Columns of JSON would not do: `jsonb` refuses U+0000 and keeps other numbers than were
 * signed, and the drivers parse `json` by themselves. A `WrittenNumber` stays as it was written.
 */
export const signedText = (signed: unknown): string => {
  const canonical = canonicalJson(signed, "any");
  if (!isLeft(canonical)) return canonical.right;
  const { reason } = canonical.left;
  // Nothing can be proven with these two; still the row must not stop those that are stored with it.
  if (reason === "lone surrogate" || reason === "too deep") return JSON.stringify(signed);
  throw new TypeError(`This signed object cannot be stored: ${reason}.`);
};

/** What {@link signedText} was made of. */
export const parseSignedText = (text: string): unknown => {
  const strict = parseStrict(text, "any");
  return isLeft(strict) ? JSON.parse(text) : strict.right;
};
