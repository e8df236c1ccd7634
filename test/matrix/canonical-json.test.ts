import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { type Either, getOrElse, isLeft, left, right } from "fp-ts/lib/Either.js";
import { describe, expect, it, vi } from "vitest";
import {
  type CanonicalNumbers,
  type NotCanonicalJson,
  canonicalJson,
  compareCodePoints,
  maxDepth,
} from "../../src/matrix/canonical-json.js";
import { WrittenNumber } from "../../src/matrix/written-number.js";
import { anything, json, jsonTwice, plainCanonical, text } from "./arbitrary-json.js";

const parse = (source: string): unknown => JSON.parse(source);

/** The canonical text of a JSON text, `null` where there is none. */
const canonicalOf = (source: string, numbers?: CanonicalNumbers): string | null => {
  let value: unknown;
  try {
    value = parse(source);
  } catch {
    return null;
  }
  return getOrElse<unknown, string | null>(() => null)(canonicalJson(value, numbers));
};

const refused = (reason: NotCanonicalJson["reason"]): Either<NotCanonicalJson, never> =>
  left({ _tag: "NotCanonicalJson", reason });

it.each([
  ["{}", "{}"],
  ['{"one": 1, "two": "Two"}', '{"one":1,"two":"Two"}'],
  ['{"b": "2", "a": "1"}', '{"a":"1","b":"2"}'],
  ['{"b":"2","a":"1"}', '{"a":"1","b":"2"}'],
  ['{"a": "日本語"}', '{"a":"日本語"}'],
  ['{"本": 2, "日": 1}', '{"日":1,"本":2}'],
  ['{"a": "\\u65E5"}', '{"a":"日"}'],
  ['{"a": null}', '{"a":null}'],
  ['{"a": -0, "b": 1e10}', '{"a":0,"b":10000000000}'],
  [
    '{"auth":{"success":true,"mxid":"@john.doe:example.com","profile":{"display_name":"John Doe","three_pids":[{"medium":"email","address":"john.doe@example.org"},{"medium":"msisdn","address":"123456789"}]}}}',
    '{"auth":{"mxid":"@john.doe:example.com","profile":{"display_name":"John Doe","three_pids":[{"address":"john.doe@example.org","medium":"email"},{"address":"123456789","medium":"msisdn"}]},"success":true}}',
  ],
])("the specification's example %s", (source, expected) => {
  expect(canonicalOf(source)).toBe(expected);
});

describe("keys stand in the order of their code points", () => {
  it.each([
    ["an astral key after those of U+E000 to U+FFFF", ["\u{1f600}", "\u{fb33}"], ["\u{fb33}", "\u{1f600}"]],
    ["what a key begins with before the key", ["ab", "a", ""], ["", "a", "ab"]],
    ["numbers as text", ["10", "9", "1", "01"], ["01", "1", "10", "9"]],
    ["capitals first", ["a", "B", "_"], ["B", "_", "a"]],
    ["without normalising", ["\u{e9}", "e\u{301}"], ["e\u{301}", "\u{e9}"]],
    [
      "own names of the language",
      ["toJSON", "constructor", "__proto__"],
      ["__proto__", "constructor", "toJSON"],
    ],
  ])("%s", (_, keys, expected) => {
    const object = Object.fromEntries(keys.map((key) => [key, 0]));
    expect(canonicalJson(object)).toEqual(
      right(`{${expected.map((key) => `${JSON.stringify(key)}:0`).join(",")}}`),
    );
  });

  it("compares any two texts as their bytes in UTF-8 compare", () => {
    fc.assert(
      fc.property(text, text, (a, b) => {
        expect(Math.sign(compareCodePoints(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
      }),
    );
  });

  it("in whatever order they were given", () => {
    fc.assert(
      fc.property(jsonTwice, ({ one, other }) => {
        expect(canonicalJson(other)).toEqual(canonicalJson(one));
      }),
    );
  });
});

describe("numbers are integers in [-(2^53)+1, 2^53-1]", () => {
  it.each([0, 1, -1, 2 ** 53 - 1, -(2 ** 53) + 1])("%d stays", (number) => {
    expect(canonicalJson([number])).toEqual(right(`[${number}]`));
  });

  it("a number that was kept as it was written becomes the integer that it is, or is refused", () => {
    expect(canonicalJson([new WrittenNumber("1e10"), "1e10"])).toEqual(right('[10000000000,"1e10"]'));
    expect(canonicalJson([new WrittenNumber("1.5")])).toEqual(refused("number"));
  });

  it("-0 is written 0", () => {
    expect(canonicalJson(-0)).toEqual(right("0"));
  });

  it.each([2 ** 53, -(2 ** 53), 1e100, 0.5, -1.5, 5e-324, NaN, Infinity, -Infinity])(
    "%d is refused",
    (number) => {
      expect(canonicalJson({ a: [number] })).toEqual(refused("number"));
    },
  );
});

describe("room versions 1 to 5 cope with other numbers", () => {
  it.each([
    ["[1.5,-0.5]", "[1.5,-0.5]"],
    ["[9007199254740992,-0]", "[9007199254740992,0]"],
  ])("%s", (source, expected) => {
    expect(canonicalOf(source, "any")).toBe(expected);
  });

  it("writing a number as it was written, where its spelling was kept", () => {
    // A character whose first half is the first of its kind: nothing of it may be taken for a mark.
    const value = { "\u{10000}": [new WrittenNumber("1.0"), "\u{10000}"], b: new WrittenNumber("1e400") };
    expect(canonicalJson(value, "any")).toEqual(right('{"b":1e400,"\u{10000}":[1.0,"\u{10000}"]}'));
    expect(canonicalJson(new WrittenNumber("0.10"), "any")).toEqual(right("0.10"));
  });

  it("but not with those that are none", () => {
    for (const number of [NaN, Infinity, -Infinity])
      expect(canonicalJson(number, "any")).toEqual(refused("number"));
  });
});

describe("of a text only quotes, backslashes and U+0000 to U+001F are escaped", () => {
  it.each([
    ["\b\t\n\f\r", String.raw`"\b\t\n\f\r"`],
    ['"\\/', String.raw`"\"\\/"`],
    ["\u{0}\u{b}\u{1f}", String.raw`"\u0000\u000b\u001f"`],
    [
      "\u{7f}\u{80}\u{2028}\u{2029}\u{feff}\u{ffff}\u{1f600}",
      '"\u{7f}\u{80}\u{2028}\u{2029}\u{feff}\u{ffff}\u{1f600}"',
    ],
  ])("%j", (plain, expected) => {
    expect(canonicalJson(plain)).toEqual(right(expected));
    expect(canonicalJson({ [plain]: 1 })).toEqual(right(`{${expected}:1}`));
  });
});

describe("what is no canonical JSON is refused", () => {
  it.each([
    ["undefined", undefined, "not JSON"],
    ["an undefined member", { a: undefined }, "not JSON"],
    ["a hole", Array.from({ length: 2 }).concat(1), "not JSON"],
    ["a true hole", new Array<unknown>(1), "not JSON"],
    ["a function", { toJSON: () => ({}) }, "not JSON"],
    ["a symbol", [Symbol("a")], "not JSON"],
    ["a bigint", 1n, "not JSON"],
    ["a date", new Date(0), "not JSON"],
    ["a map", new Map(), "not JSON"],
    ["bytes", new Uint8Array(1), "not JSON"],
    ["a boxed text", Object("a"), "not JSON"],
    ["a lone high surrogate", ["a\u{d800}"], "lone surrogate"],
    ["a lone low surrogate in a key", { "\u{dc00}": 1 }, "lone surrogate"],
    ["surrogates the wrong way round", "\u{de00}\u{d83d}", "lone surrogate"],
  ] as const)("%s", (_, value, reason) => {
    expect(canonicalJson(value)).toEqual(refused(reason));
  });

  it.each([
    ["arrays", (depth: number) => parse("[".repeat(depth) + "]".repeat(depth))],
    ["objects", (depth: number) => parse('{"a":'.repeat(depth) + "1" + "}".repeat(depth))],
  ])("%s too deep", (_, nested) => {
    expect(isLeft(canonicalJson(nested(maxDepth)))).toBe(false);
    expect(canonicalJson(nested(maxDepth + 1))).toEqual(refused("too deep"));
    expect(canonicalJson(nested(20_000))).toEqual(refused("too deep"));
  });

  it("a circle", () => {
    const circle: unknown[] = [];
    circle.push({ circle });
    expect(canonicalJson(circle)).toEqual(refused("too deep"));
  });
});

/** Whether it is written by way of a copy, which `JSON.stringify` writes. */
const isCopied = (value: unknown): boolean => {
  const spy = vi.spyOn(JSON, "stringify");
  try {
    canonicalJson(value, "any");
    return spy.mock.calls.length > 0;
  } finally {
    spy.mockRestore();
  }
};

describe("a copy is written only where it has the same JSON", () => {
  const withKeys = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, at) => [`k${at}`, 0]));

  it.each<[string, unknown]>([
    ["an event", { b: [{ d: "\u{1f600}", c: null }], a: { "": -1, toJSON: true } }],
    ["a hundred keys", withKeys(100)],
  ])("as of %s", (_, value) => {
    expect(isCopied(value)).toBe(true);
  });

  it.each<[string, unknown]>([
    ["a key that begins with a digit", { a: { 9: 0, "10": 0 } }],
    ["__proto__", parse('{"__proto__":{"b":1,"a":2}}')],
    ["a name of Object.prototype", { b: 1, a: { toString: 1 } }],
    ["a number kept as it was written", { a: [new WrittenNumber("1.0")] }],
    ["a tag", { b: 1, a: 2, [Symbol.toStringTag]: "Object with a tag" }],
    [
      "a date that is a plain object",
      Object.setPrototypeOf(Object.assign(new Date(0), { b: 1, a: 2 }), Object.prototype),
    ],
    ["an array with a tag", [Object.assign([1], { [Symbol.toStringTag]: "Object" })]],
    ["an array with a map of its own", Object.assign([1], { map: () => [2] })],
    ["an array of another class", [Object.assign([1], { constructor: Object })]],
    ["an object without a prototype", Object.assign(Object.create(null), { b: 1 })],
    ["more than a hundred keys", withKeys(101)],
  ])("but not of %s", (_, value) => {
    expect(isCopied(value)).toBe(false);
    expect(canonicalJson(value, "any")._tag).toBe("Right");
  });

  it("and is compared by code point where a key needs it", () => {
    expect(canonicalJson({ "a\u{1f600}": 1, "a\u{fb33}": "\u{1f600}" })).toEqual(
      right('{"a\u{fb33}":"\u{1f600}","a\u{1f600}":1}'),
    );
  });

  it("with the bytes that are written without one", () => {
    fc.assert(
      fc.property(json, (value) => {
        fc.pre(isCopied(value));
        const copied = getOrElse(() => "")(canonicalJson(value));
        expect(isCopied({ "0": value })).toBe(false);
        expect(canonicalJson({ "0": value })).toEqual(right(`{"0":${copied}}`));
      }),
    );
  });

  it("also where Object.prototype can no longer be shadowed by assigning, or was added to", () => {
    const run = (change: string): unknown => runInNewContext(change + ";({ b: 1, a: { d: 1, c: 2 } })");
    for (const change of ["Object.freeze(Object.prototype)", "Object.prototype.added = () => 0"])
      expect(canonicalJson(run(change))).toEqual(right('{"a":{"c":2,"d":1},"b":1}'));
    const added = { value: 0, enumerable: true, configurable: true, writable: true };
    Object.defineProperty(Object.prototype, "added", added);
    const written = canonicalJson({ b: 1, a: { added: 2 } });
    Reflect.deleteProperty(Object.prototype, "added");
    expect(written).toEqual(right('{"a":{"added":2},"b":1}'));
  });
});

it("takes plain objects of any make", () => {
  const bare: unknown = Object.assign(Object.create(null), { b: 1, a: 2 });
  expect(canonicalJson(bare)).toEqual(right('{"a":2,"b":1}'));
  expect(canonicalJson(runInNewContext("({ b: [1], a: 2 })"))).toEqual(right('{"a":2,"b":[1]}'));
});

it("writes what stands in the value, whatever its members are called", () => {
  expect(canonicalOf('{"toJSON":1,"__proto__":{"toJSON":"x"}}')).toBe(
    '{"__proto__":{"toJSON":"x"},"toJSON":1}',
  );
});

// Nothing that JSON.parse makes is like this; what a host puts together itself may be.
it.each<[string, unknown]>([
  ["a list", Object.assign([1], { toJSON: () => "other" })],
  ["an object of another make", { __proto__: { __proto__: null, toJSON: () => "other" } }],
])("never writes another value than it looked at: %s with a toJSON", (_, value) => {
  expect(canonicalJson({ value })).not.toEqual(right('{"value":"other"}'));
});

it("what throws when it is read is no JSON", () => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  const getter = {
    get a(): never {
      throw new Error("read");
    },
  };
  for (const value of [proxy, getter, [getter]]) expect(canonicalJson(value)).toEqual(refused("not JSON"));
});

it("writes what the plain way of doing it writes", () => {
  fc.assert(
    fc.property(json, (value) => {
      expect(canonicalJson(value)).toEqual(right(plainCanonical(value)));
    }),
  );
});

it("is its own canonical form", () => {
  fc.assert(
    fc.property(json, (value) => {
      const once = canonicalOf(JSON.stringify(value));
      expect(once).not.toBeNull();
      expect(canonicalOf(once ?? "")).toBe(once);
    }),
  );
});

it("never throws", () => {
  fc.assert(
    fc.property(anything, fc.constantFrom("integers" as const, "any" as const), (value, numbers) => {
      expect(["Left", "Right"]).toContain(canonicalJson(value, numbers)._tag);
    }),
  );
});
