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

const blanks = /[ \t\n\r]*/y;
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

/**
 * Reads one text from left to right. JSON has no `undefined`, so here it says that something was wrong; `fault` then
 * holds the first such thing.
 */
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
    this.#take(blanks);
    if (this.#at < this.#text.length) {
      this.#fail("not JSON");
      return;
    }
    return value;
  }

  #fail(reason: NotStrictJson["reason"], at = this.#at): undefined {
    this.fault ??= fault(reason, at);
    return undefined;
  }

  /** Passes over what a sticky pattern finds here. */
  #take(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const [found = ""] = pattern.exec(this.#text) ?? [];
    this.#at += found.length;
    return found;
  }

  /** Passes over blanks, and over these characters if they come next. */
  #takes(characters: string): boolean {
    this.#take(blanks);
    const comes = this.#text.startsWith(characters, this.#at);
    if (comes) this.#at += characters.length;
    return comes;
  }

  #value(depth: number): unknown {
    if (this.#takes("{")) return this.#object(depth);
    if (this.#takes("[")) return this.#array(depth);
    if (this.#text[this.#at] === '"') return this.#string();
    if (this.#takes("true")) return true;
    if (this.#takes("false")) return false;
    if (this.#takes("null")) return null;
    return this.#number();
  }

  #object(depth: number): unknown {
    if (depth >= maxDepth) {
      this.#fail("too deep");
      return;
    }
    const members = new Map<string, unknown>();
    if (!this.#takes("}")) {
      do {
        this.#take(blanks);
        const start = this.#at;
        const key = this.#string();
        if (key === undefined) return undefined;
        if (members.has(key)) {
          this.#fail("duplicate key", start);
          return;
        }
        if (!this.#takes(":")) {
          this.#fail("not JSON");
          return;
        }
        const value = this.#value(depth + 1);
        if (value === undefined) return undefined;
        members.set(key, value);
      } while (this.#takes(","));
      if (!this.#takes("}")) {
        this.#fail("not JSON");
        return;
      }
    }
    // `fromEntries` makes own members whatever they are called; `__proto__` must not slip out of what was signed.
    return Object.fromEntries(members);
  }

  #array(depth: number): unknown {
    if (depth >= maxDepth) {
      this.#fail("too deep");
      return;
    }
    const items: unknown[] = [];
    if (!this.#takes("]")) {
      do {
        const item = this.#value(depth + 1);
        if (item === undefined) return undefined;
        items.push(item);
      } while (this.#takes(","));
      if (!this.#takes("]")) {
        this.#fail("not JSON");
        return;
      }
    }
    return items;
  }

  #string(): string | undefined {
    const start = this.#at;
    if (this.#text[start] !== '"') {
      this.#fail("not JSON");
      return;
    }
    let end = start + 1;
    while (end < this.#text.length && this.#text[end] !== '"') end += this.#text[end] === "\\" ? 2 : 1;
    const read = unescaped(this.#text.slice(start, end + 1));
    if (read === undefined) {
      this.#fail("not JSON");
      return;
    }
    if (!read.isWellFormed()) {
      this.#fail("lone surrogate");
      return;
    }
    this.#at = end + 1;
    return read;
  }

  #number(): number | WrittenNumber | undefined {
    const start = this.#at;
    const written = this.#take(numberText);
    if (written === "") {
      this.#fail("not JSON");
      return;
    }
    const read = readNumber(written, this.#spelling);
    if (read === undefined) {
      this.#fail("number", start);
      return;
    }
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
 * number was written, a key that stands twice, half a surrogate pair, bytes that are no UTF-8 (CJ-2, CJ-3, CJ-5). Own
 * members called `__proto__` stay members. Takes a text or its bytes, says where the first trouble is, never throws.
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
