import { walk } from "canonical-json";
import { type Either, left, right } from "fp-ts/lib/Either.js";

/** Why a value has no canonical JSON. */
export interface NotCanonicalJson {
  readonly _tag: "NotCanonicalJson";
  readonly reason: "not JSON" | "number" | "lone surrogate" | "too deep";
}

/**
 * Which numbers may stand in the value: `integers` in [-(2^53)+1, 2^53-1], as room versions 6 and later enforce,
 * or `any` finite number, as versions 1 to 5 have to put up with (CJ-2, CJ-3).
 */
export type CanonicalNumbers = "integers" | "any";

/** No event that a person wrote nests a tenth as deep; without a limit a hostile one exhausts the stack. */
export const maxDepth = 512;

type Fault = NotCanonicalJson["reason"];

/** What the check found: a fault, or whether some key holds a surrogate, which decides how keys must be compared. */
type Finding = Fault | "plain" | "astral";

const surrogate = /[\ud800-\udfff]/;

const inspectText = (text: string): Fault | undefined => (text.isWellFormed() ? undefined : "lone surrogate");

const isPlain = (value: object): value is Readonly<Record<string, unknown>> => {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype || Object.getPrototypeOf(prototype) === null;
};

const inspect = (value: unknown, numbers: CanonicalNumbers, depth: number): Finding => {
  switch (typeof value) {
    case "string":
      return inspectText(value) ?? "plain";
    case "boolean":
      return "plain";
    case "number":
      return (numbers === "integers" ? Number.isSafeInteger(value) : Number.isFinite(value))
        ? "plain"
        : "number";
    case "object":
      if (value === null) return "plain";
      if (depth >= maxDepth) return "too deep";
      // The writer below would call it, and write something else than was looked at.
      if ("toJSON" in value && typeof value.toJSON === "function") return "not JSON";
      return Array.isArray(value)
        ? inspectArray(value, numbers, depth + 1)
        : isPlain(value)
          ? inspectObject(value, numbers, depth + 1)
          : "not JSON";
    case "undefined":
    case "function":
    case "symbol":
    case "bigint":
      return "not JSON";
  }
};

const inspectArray = (items: readonly unknown[], numbers: CanonicalNumbers, depth: number): Finding => {
  let found: Finding = "plain";
  // A hole is visited as undefined, and refused.
  for (const value of items) {
    const item = inspect(value, numbers, depth);
    if (item === "astral") found = item;
    else if (item !== "plain") return item;
  }
  return found;
};

const inspectObject = (
  object: Readonly<Record<string, unknown>>,
  numbers: CanonicalNumbers,
  depth: number,
): Finding => {
  let found: Finding = "plain";
  for (const key of Object.keys(object)) {
    if (surrogate.test(key)) {
      if (!key.isWellFormed()) return "lone surrogate";
      found = "astral";
    }
    const item = inspect(object[key], numbers, depth);
    if (item === "astral") found = item;
    else if (item !== "plain") return item;
  }
  return found;
};

// UTF-16 puts surrogates (U+10000 and beyond) below U+E000..U+FFFF; this moves them above.
const rank = (unit: number): number => (unit < 0xd800 ? unit : unit < 0xe000 ? unit + 0x2000 : unit - 0x800);

/** Compares by Unicode code point, which is the order of keys in canonical JSON (CJ-1). */
export const compareCodePoints = (a: string, b: string): number => {
  const shorter = Math.min(a.length, b.length);
  for (let i = 0; i < shorter; i += 1) {
    const one = a.charCodeAt(i);
    const other = b.charCodeAt(i);
    if (one !== other) return rank(one) - rank(other);
  }
  return a.length - b.length;
};

/**
 * The canonical JSON of a value: shortest form, keys in the order of their code points (CJ-1 to CJ-4).
 * Takes anything; what is not plain JSON, holds a number of the wrong kind, a lone surrogate, or nests deeper than
 * {@link maxDepth} gives a {@link NotCanonicalJson}. Never throws.
 *
 * @example
 * canonicalJson({ b: 1, a: [true, null] }); // right('{"a":[true,null],"b":1}')
 */
export const canonicalJson = (
  value: unknown,
  numbers: CanonicalNumbers = "integers",
): Either<NotCanonicalJson, string> => {
  let text = "";
  const write = (chunk: string): void => {
    text += chunk;
  };
  try {
    const found = inspect(value, numbers, 0);
    if (found !== "plain" && found !== "astral") return left({ _tag: "NotCanonicalJson", reason: found });
    // Without a comparison the keys are sorted by UTF-16 unit, natively; it differs only where a surrogate occurs.
    walk(value, write, found === "astral" ? compareCodePoints : undefined);
    return right(text);
  } catch {
    // Getters and proxies can throw; what has them is no JSON.
    return left({ _tag: "NotCanonicalJson", reason: "not JSON" });
  }
};
