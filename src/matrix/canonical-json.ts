import { walk } from "canonical-json";
import { type Either, left, right } from "fp-ts/lib/Either.js";
import { isJsonObject } from "./json.js";
import { WrittenNumber, exactInteger } from "./written-number.js";

/** Why a value has no canonical JSON. */
export interface NotCanonicalJson {
  readonly _tag: "NotCanonicalJson";
  readonly reason: "not JSON" | "number" | "lone surrogate" | "too deep";
}

/**
 * Which numbers may stand in the value: `integers` in [-(2^53)+1, 2^53-1], as room versions 6 and later enforce,
 * or `any` finite number, as versions 1 to 5 have to put up with. What `parseStrict` kept as it was written is
 * written so again, or where only integers may stand, as the integer that it is.
 */
export type CanonicalNumbers = "integers" | "any";

/** No event that a person wrote nests a tenth as deep; without a limit a hostile one exhausts the stack. */
export const maxDepth = 512;

type Fault = NotCanonicalJson["reason"];

/** What the check is told, and what it finds on its way that decides how the value must be written. */
interface Look {
  readonly numbers: CanonicalNumbers;
  /** Some key holds a surrogate: keys must be compared by code point. */
  astral: boolean;
  /** There is a {@link WrittenNumber}, which the writer does not know. */
  written: boolean;
}

const surrogate = /[\ud800-\udfff]/;

const isPlain = (value: object): value is Readonly<Record<string, unknown>> => {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype || Object.getPrototypeOf(prototype) === null;
};

const inspect = (value: unknown, look: Look, depth: number): Fault | undefined => {
  switch (typeof value) {
    case "string":
      return value.isWellFormed() ? undefined : "lone surrogate";
    case "boolean":
      return undefined;
    case "number":
      return (look.numbers === "integers" ? Number.isSafeInteger(value) : Number.isFinite(value))
        ? undefined
        : "number";
    case "object":
      if (value === null) return undefined;
      if (value instanceof WrittenNumber) {
        look.written = true;
        return look.numbers === "any" || exactInteger(value.toString()) !== undefined ? undefined : "number";
      }
      if (depth >= maxDepth) return "too deep";
      // The writer below would call it, and write something else than was looked at.
      if ("toJSON" in value && typeof value.toJSON === "function") return "not JSON";
      return Array.isArray(value)
        ? inspectArray(value, look, depth + 1)
        : isPlain(value)
          ? inspectObject(value, look, depth + 1)
          : "not JSON";
    case "undefined":
    case "function":
    case "symbol":
    case "bigint":
      return "not JSON";
  }
};

const inspectArray = (items: readonly unknown[], look: Look, depth: number): Fault | undefined => {
  // A hole is visited as undefined, and refused.
  for (const item of items) {
    const fault = inspect(item, look, depth);
    if (fault !== undefined) return fault;
  }
  return undefined;
};

const inspectObject = (
  object: Readonly<Record<string, unknown>>,
  look: Look,
  depth: number,
): Fault | undefined => {
  for (const key of Object.keys(object)) {
    if (surrogate.test(key)) {
      if (!key.isWellFormed()) return "lone surrogate";
      look.astral = true;
    }
    const fault = inspect(object[key], look, depth);
    if (fault !== undefined) return fault;
  }
  return undefined;
};

/** Stands before a number's text. No text that has passed the check begins with the second half of a pair. */
const writtenMark = "\udc00";

/** The value with each written number as a marked text, which {@link unmarked} writes as the number it is. */
const marked = (value: unknown, numbers: CanonicalNumbers): unknown => {
  if (value instanceof WrittenNumber)
    return numbers === "any" ? `${writtenMark}${value.toString()}` : exactInteger(value.toString());
  if (Array.isArray(value)) return value.map((item) => marked(item, numbers));
  return isJsonObject(value)
    ? Object.fromEntries(Object.entries(value).map(([key, item]) => [key, marked(item, numbers)]))
    : value;
};

const unmarked = (chunk: string): string => (chunk[1] === writtenMark ? chunk.slice(2, -1) : chunk);

// UTF-16 puts surrogates (U+10000 and beyond) below U+E000..U+FFFF; this moves them above.
const rank = (unit: number): number => (unit < 0xd800 ? unit : unit < 0xe000 ? unit + 0x2000 : unit - 0x800);

/**
 * Compares by Unicode code point, which is the order of keys in canonical JSON.
 *
 * Keys are sorted by their code points: https://spec.matrix.org/v1.19/appendices/#canonical-json
 */
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
 * The canonical JSON of a value: shortest form, keys in the order of their code points.
 * Takes anything; what is not plain JSON, holds a number of the wrong kind, a lone surrogate, or nests deeper than
 * 512 levels gives a {@link NotCanonicalJson}. Never throws.
 *
 * Canonical JSON is the shortest UTF-8 form with sorted keys, and has integers only: https://spec.matrix.org/v1.19/appendices/#canonical-json
 *
 * @example
 * canonicalJson({ b: 1, a: [true, null] }); // right('{"a":[true,null],"b":1}')
 */
export const canonicalJson = (
  value: unknown,
  numbers: CanonicalNumbers = "integers",
): Either<NotCanonicalJson, string> => {
  let text = "";
  const look: Look = { numbers, astral: false, written: false };
  try {
    const fault = inspect(value, look, 0);
    if (fault !== undefined) return left({ _tag: "NotCanonicalJson", reason: fault });
    const write = (chunk: string): void => {
      text += look.written ? unmarked(chunk) : chunk;
    };
    // Without a comparison the keys are sorted by UTF-16 unit, natively; it differs only where a surrogate occurs.
    walk(look.written ? marked(value, numbers) : value, write, look.astral ? compareCodePoints : undefined);
    return right(text);
  } catch {
    // Getters and proxies can throw; what has them is no JSON.
    return left({ _tag: "NotCanonicalJson", reason: "not JSON" });
  }
};
