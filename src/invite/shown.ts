import { WrittenNumber } from "../matrix/written-number.js";

/**
 * A value as it stood in somebody's event, small and fit for `JSON.stringify` whatever it is: long texts are cut, of
 * objects and lists is only said that they are such.
 */
export type Shown =
  | string
  | number
  | boolean
  | null
  | { readonly _tag: "Absent" }
  | { readonly _tag: "Object" }
  | { readonly _tag: "List" }
  /** A number that JSON, or JavaScript, does not keep as it was written. */
  | { readonly _tag: "Number"; readonly written: string }
  /** What no JSON can hold. */
  | { readonly _tag: "NotJson" };

/** An identifier has at most 255 bytes, a signature 86 letters; what is longer is nobody's honest text. */
const maxShown = 300;

/** The text, or its beginning and an ellipsis. */
export const cut = (text: string, length: number = maxShown): string =>
  text.length <= length ? text : `${text.slice(0, length)}…`;

/** A value for people to look at. */
export const shown = (value: unknown): Shown => {
  switch (typeof value) {
    case "string":
      return cut(value);
    case "boolean":
      return value;
    case "number":
      // JSON has no -0.
      return Number.isFinite(value) ? value + 0 : { _tag: "Number", written: String(value) };
    case "undefined":
      return { _tag: "Absent" };
    case "object":
      if (value === null) return null;
      if (value instanceof WrittenNumber) return { _tag: "Number", written: cut(value.toString()) };
      return { _tag: Array.isArray(value) ? "List" : "Object" };
    case "function":
    case "symbol":
    case "bigint":
      return { _tag: "NotJson" };
  }
};
