import { type Either, left, right } from "fp-ts/lib/Either.js";
import { maxDepth } from "./canonical-json.js";
import { decodeUtf8 } from "./utf8.js";
import { WrittenNumber, exactInteger } from "./written-number.js";

/**
 * How the numbers of a text may be written:
 * - `plain`: integers in [-(2^53)+1, 2^53-1] without fraction, exponent or `-0`, as events from room version 6 on
 *   must have them;
 * - `integers`: the same integers in any spelling (`1e10`, `1.0`, `-0`), for JSON that is yet to be made canonical;
 * - `any`: every number, those that a JavaScript number does not keep as {@link WrittenNumber}, for events of room
 *   versions 1 to 5.
 */
export type NumberSpelling = "plain" | "integers" | "any";

/** Why a text is refused, and where: an offset in UTF-16 units. */
export interface NotStrictJson {
  readonly _tag: "NotStrictJson";
  readonly reason: "not JSON" | "invalid UTF-8" | "number" | "duplicate key" | "lone surrogate" | "too deep";
  readonly at: number;
}

const fault = (reason: NotStrictJson["reason"], at: number): NotStrictJson => ({
  _tag: "NotStrictJson",
  reason,
  at,
});

const isBlank = (unit: number): boolean => unit === 0x20 || unit === 0x0a || unit === 0x0d || unit === 0x09;

const numberText = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;

/** The number that a text spells, or `undefined` where it must not be spelt so. */
const readNumber = (written: string, spelling: NumberSpelling): number | WrittenNumber | undefined => {
  const value = Number(written);
  const isKept = String(value) === written;
  if (isKept && Number.isSafeInteger(value)) return value;
  switch (spelling) {
    case "plain":
      return undefined;
    case "integers":
      return exactInteger(written);
    case "any":
      // Zero has no sign in canonical JSON of any version; whatever else is odd stands as it was written.
      if (written === "-0") return 0;
      return isKept ? value : new WrittenNumber(written);
  }
};

/** What a reader gives for what it cannot read. */
const wrong = Symbol("wrong");

type Wrong = typeof wrong;

/** Reads one text from left to right. `fault` holds the first thing that was wrong with it. */
class Reader {
  fault: NotStrictJson | undefined;
  readonly #text: string;
  readonly #spelling: NumberSpelling;
  #at = 0;

  constructor(text: string, spelling: NumberSpelling) {
    this.#text = text;
    this.#spelling = spelling;
  }

  document(): unknown {
    const value = this.#value(0);
    this.#skipBlanks();
    return this.#at < this.#text.length ? this.#fail("not JSON") : value;
  }

  #fail(reason: NotStrictJson["reason"], at = this.#at): Wrong {
    this.fault ??= fault(reason, at);
    return wrong;
  }

  #skipBlanks(): void {
    while (isBlank(this.#text.charCodeAt(this.#at))) this.#at += 1;
  }

  /** Passes over blanks, and over this character if it comes next. */
  #takes(character: string): boolean {
    this.#skipBlanks();
    const comes = this.#text[this.#at] === character;
    if (comes) this.#at += 1;
    return comes;
  }

  #value(depth: number): unknown {
    this.#skipBlanks();
    switch (this.#text[this.#at]) {
      case "{":
        return depth < maxDepth ? this.#object(depth + 1) : this.#fail("too deep");
      case "[":
        return depth < maxDepth ? this.#array(depth + 1) : this.#fail("too deep");
      case '"':
        return this.#string();
      case "t":
        return this.#word("true", true);
      case "f":
        return this.#word("false", false);
      case "n":
        return this.#word("null", null);
      default:
        return this.#number();
    }
  }

  #word(word: string, value: boolean | null): unknown {
    if (!this.#text.startsWith(word, this.#at)) return this.#fail("not JSON");
    this.#at += word.length;
    return value;
  }

  #object(depth: number): unknown {
    const members = new Map<string, unknown>();
    this.#at += 1;
    if (!this.#takes("}")) {
      do {
        this.#skipBlanks();
        const start = this.#at;
        const key = this.#string();
        if (key === wrong) return wrong;
        if (members.has(key)) return this.#fail("duplicate key", start);
        if (!this.#takes(":")) return this.#fail("not JSON");
        const value = this.#value(depth);
        if (value === wrong) return wrong;
        members.set(key, value);
      } while (this.#takes(","));
      if (!this.#takes("}")) return this.#fail("not JSON");
    }
    // `fromEntries` makes own members whatever they are called; `__proto__` must not slip out of what was signed.
    return Object.fromEntries(members);
  }

  #array(depth: number): unknown {
    const items: unknown[] = [];
    this.#at += 1;
    if (!this.#takes("]")) {
      do {
        const item = this.#value(depth);
        if (item === wrong) return wrong;
        items.push(item);
      } while (this.#takes(","));
      if (!this.#takes("]")) return this.#fail("not JSON");
    }
    return items;
  }

  #string(): string | Wrong {
    const start = this.#at;
    if (this.#text[start] !== '"') return this.#fail("not JSON");
    let end = start + 1;
    while (end < this.#text.length && this.#text[end] !== '"') end += this.#text[end] === "\\" ? 2 : 1;
    const read = unescaped(this.#text.slice(start, end + 1));
    if (read === undefined) return this.#fail("not JSON");
    if (!read.isWellFormed()) return this.#fail("lone surrogate");
    this.#at = end + 1;
    return read;
  }

  #number(): number | WrittenNumber | Wrong {
    numberText.lastIndex = this.#at;
    const [written] = numberText.exec(this.#text) ?? [];
    if (written === undefined) return this.#fail("not JSON");
    const read = readNumber(written, this.#spelling);
    if (read === undefined) return this.#fail("number");
    this.#at += written.length;
    return read;
  }
}

/** What stands in a JSON string, quotes and all; `undefined` where it is none. */
const unescaped = (quoted: string): string | undefined => {
  try {
    return JSON.parse(quoted) as string;
  } catch {
    return undefined;
  }
};

/**
 * Parses JSON as the rules of events need it, where `JSON.parse` hides what two servers may read differently: how a
 * number was written, a key that stands twice, half a surrogate pair, bytes that are no UTF-8. Own
 * members called `__proto__` stay members. Takes a text or its bytes, says where the first fault is, never throws.
 *
 * From room version 6 on servers reject events that are not canonical JSON: https://spec.matrix.org/v1.19/rooms/v6/#canonical-json
 *
 * @example
 * parseStrict('{"depth":1e1}'); // left({ _tag: "NotStrictJson", reason: "number", at: 9 })
 * parseStrict('{"depth":1e1}', "integers"); // right({ depth: 10 })
 */
export const parseStrict = (
  text: string | Uint8Array,
  spelling: NumberSpelling = "plain",
): Either<NotStrictJson, unknown> => {
  const decoded = typeof text === "string" ? text : decodeUtf8(text);
  if (decoded === undefined) return left(fault("invalid UTF-8", 0));
  const reader = new Reader(decoded, spelling);
  const value = reader.document();
  return reader.fault === undefined ? right(value) : left(reader.fault);
};
