// eslint-disable-next-line no-restricted-syntax -- The check below sees whatever its default export gets wrong.
import stringify, { walk } from "canonical-json";
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
  /** There is a {@link WrittenNumber}, which the writers do not know. */
  written: boolean;
  /** There is something whose copy would have another JSON, or that is written faster without a copy. */
  uncopied: boolean;
}

/** In a larger object, giving the copy its keys takes longer than writing without a copy. */
const mostCopiedKeys = 100;

const tagOf = (value: object): string => Object.prototype.toString.call(value);

const isPlain = (_value: object, prototype: unknown): _value is Readonly<Record<string, unknown>> =>
  prototype === Object.prototype || prototype === null || Object.getPrototypeOf(prototype) === null;

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
      return value === null ? undefined : inspectNested(value, look, depth);
    case "undefined":
    case "function":
    case "symbol":
    case "bigint":
      return "not JSON";
  }
};

const inspectNested = (value: object, look: Look, depth: number): Fault | undefined => {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && value instanceof WrittenNumber) {
    look.written = true;
    look.uncopied = true;
    return look.numbers === "any" || exactInteger(value.toString()) !== undefined ? undefined : "number";
  }
  if (depth >= maxDepth) return "too deep";
  // The writers below would call it, and write something else than was looked at.
  if ("toJSON" in value && typeof value.toJSON === "function") return "not JSON";
  if (Array.isArray(value)) return inspectArray(value, look, depth + 1);
  return isPlain(value, prototype) ? inspectObject(value, look, depth + 1, prototype) : "not JSON";
};

const inspectArray = (items: readonly unknown[], look: Look, depth: number): Fault | undefined => {
  // The copy is made by its `map`.
  if (items.map !== Array.prototype.map || items.constructor !== Array || Symbol.toStringTag in items)
    look.uncopied = true;
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
  prototype: unknown,
): Fault | undefined => {
  // What has another tag is copied unsorted.
  if (tagOf(object) !== "[object Object]") look.uncopied = true;
  let count = 0;
  for (const key in object) {
    if (prototype !== Object.prototype || key in Object.prototype) {
      if (!Object.hasOwn(object, key)) continue;
      look.uncopied = true;
    }
    if (!key.isWellFormed()) return "lone surrogate";
    count += 1;
    // A key of digits would come first, whatever stands before it.
    if (count > mostCopiedKeys || key.charCodeAt(0) <= 0x39) look.uncopied = true;
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

const surrogate = /[\ud800-\udfff]/;

const hasAstralKey = (value: unknown): boolean =>
  typeof value === "object" &&
  value !== null &&
  Object.entries(value).some(([key, item]) => surrogate.test(key) || hasAstralKey(item));

/** Writes without a copy. */
const walked = (value: unknown, { numbers, written }: Look, compare?: typeof compareCodePoints): string => {
  let text = "";
  const write = (chunk: string): void => {
    text += written ? unmarked(chunk) : chunk;
  };
  walk(written ? marked(value, numbers) : value, write, compare);
  return text;
};

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
  const look: Look = { numbers, written: false, uncopied: false };
  try {
    const fault = inspect(value, look, 0);
    if (fault !== undefined) return left({ _tag: "NotCanonicalJson", reason: fault });
    // Without a comparison the keys are sorted by UTF-16 unit, natively; it differs only where a key has a surrogate.
    const text = look.uncopied ? walked(value, look) : (stringify(value) ?? "");
    return right(surrogate.test(text) && hasAstralKey(value) ? walked(value, look, compareCodePoints) : text);
  } catch {
    // Getters and proxies can throw; what has them is no JSON.
    return left({ _tag: "NotCanonicalJson", reason: "not JSON" });
  }
};
