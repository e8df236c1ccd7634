import fc from "fast-check";
import { type Either, isLeft, left, right } from "fp-ts/lib/Either.js";
import { describe, expect, it } from "vitest";
import { canonicalJson, maxDepth } from "../../src/matrix/canonical-json.js";
import { type NotStrictJson, type NumberSpelling, parseStrict } from "../../src/matrix/strict-json.js";
import { encodeUtf8 } from "../../src/matrix/utf8.js";
import { WrittenNumber, exactInteger } from "../../src/matrix/written-number.js";
import { json, text } from "./arbitrary-json.js";
import { type Vectors, vectors } from "./vectors.js";

const refused = (reason: NotStrictJson["reason"], at: number): Either<NotStrictJson, never> =>
  left({ _tag: "NotStrictJson", reason, at });

/** The canonical text of a JSON text, `null` where there is none. */
const canonicalOf = (source: string, spelling: NumberSpelling): string | null => {
  const parsed = parseStrict(source, spelling);
  if (isLeft(parsed)) return null;
  const canonical = canonicalJson(parsed.right, spelling === "any" ? "any" : "integers");
  return isLeft(canonical) ? null : canonical.right;
};

describe("reads what JSON.parse reads", () => {
  it.each([
    ["null", null],
    [" [ ] ", []],
    ["\t{\r\n}\n", {}],
    ['[true,false,null,-1,0,""]', [true, false, null, -1, 0, ""]],
    [String.raw`"\b\t\n\f\r\"\\\/é\ud83d\ude00"`, '\b\t\n\f\r"\\/é😀'],
    ['{"a":{"b":[{}]}}', { a: { b: [{}] } }],
    ['{"2":0,"1":{"a":1}}', { 1: { a: 1 }, 2: 0 }],
  ])("%j", (source, expected) => {
    expect(parseStrict(source)).toEqual(right(expected));
  });

  it("of any value, however it is spaced", () => {
    fc.assert(
      fc.property(json, fc.constantFrom(undefined, 1, "\t"), (value, space) => {
        const source = JSON.stringify(value, null, space);
        expect(parseStrict(source)).toEqual(right(JSON.parse(source)));
        expect(parseStrict(encodeUtf8(source))).toEqual(right(JSON.parse(source)));
      }),
    );
  });

  it("and nothing else: whatever it takes, JSON.parse takes and reads alike", () => {
    const token = fc.constantFrom(
      ...Array.from('{}[],:"\\ \n\t'),
      "1",
      "-",
      "0",
      ".",
      "e",
      "+",
      "true",
      "nul",
      "null",
      '"a"',
      "\\u00",
      "\u{feff}",
      "\u{1}",
    );
    fc.assert(
      fc.property(fc.array(token, { maxLength: 8 }), (tokens) => {
        const source = tokens.join("");
        const strict = parseStrict(source, "any");
        let parsed: unknown;
        try {
          parsed = JSON.parse(source);
        } catch {
          expect(strict._tag).toBe("Left");
          return;
        }
        if (isLeft(strict)) expect(strict.left.reason).toMatch(/^(duplicate key|lone surrogate)$/);
        else expect(JSON.parse(JSON.stringify(strict.right))).toEqual(JSON.parse(JSON.stringify(parsed)));
      }),
      { numRuns: 3000 },
    );
  });

  it("own members called __proto__ stay members", () => {
    const parsed = parseStrict('{"__proto__":{"a":1},"b":2}');
    expect(isLeft(parsed) ? undefined : Object.entries(parsed.right as object)).toEqual([
      ["__proto__", { a: 1 }],
      ["b", 2],
    ]);
    expect(canonicalOf('{"b":1,"__proto__":{"a":1}}', "plain")).toBe('{"__proto__":{"a":1},"b":1}');
  });
});

describe("says what is wrong, and where", () => {
  it.each([
    ["", "not JSON", 0],
    ["  ", "not JSON", 2],
    ["nul", "not JSON", 0],
    ["[1 2]", "not JSON", 3],
    ["[1,]", "not JSON", 3],
    ["[1", "not JSON", 2],
    ["[1}", "not JSON", 2],
    ['{"a" 1}', "not JSON", 5],
    ['{"a":}', "not JSON", 5],
    ['{"a":1', "not JSON", 6],
    ['{"a":1]', "not JSON", 6],
    ['{"a":1,}', "not JSON", 7],
    ["{1:2}", "not JSON", 1],
    ["{a:2}", "not JSON", 1],
    ["1 1", "not JSON", 2],
    ["01", "not JSON", 1],
    ["+1", "not JSON", 0],
    ["-", "not JSON", 0],
    ["1.", "not JSON", 1],
    [".5", "not JSON", 0],
    ["1e", "not JSON", 1],
    ["NaN", "not JSON", 0],
    ["'a'", "not JSON", 0],
    ['"a', "not JSON", 0],
    ['"a\\"', "not JSON", 0],
    ['"\\x41"', "not JSON", 0],
    ['"\\u12g4"', "not JSON", 0],
    ['["\n"]', "not JSON", 1],
    ["\u{feff}1", "not JSON", 0],
    ["\u{a0}1", "not JSON", 0],
    ["\u{c}1", "not JSON", 0],
    ['{"a":1,"a":1}', "duplicate key", 7],
    [String.raw`{"a":1,"b":2, "\u0061":1}`, "duplicate key", 14],
    ['[{"a":1,"a":1}]', "duplicate key", 8],
    ['{"__proto__":1,"__proto__":1}', "duplicate key", 15],
    [String.raw`["\ud800"]`, "lone surrogate", 1],
    [String.raw`{"\udc00":1}`, "lone surrogate", 1],
    [String.raw`"\ude00\ud83d"`, "lone surrogate", 0],
    ['"\u{d800}"', "lone surrogate", 0],
    ["[0,1.0]", "number", 3],
  ] as const)("%j: %s at %d", (source, reason, at) => {
    expect(parseStrict(source)).toEqual(refused(reason, at));
  });

  it.each([
    ["arrays", "[", "]"],
    ["objects", '{"a":', "}"],
  ])("%s that nest too deep, not a step earlier", (_, open, close) => {
    const nested = (depth: number): string =>
      open.repeat(depth) + (open === "[" ? "" : "1") + close.repeat(depth);
    expect(parseStrict(nested(maxDepth))._tag).toBe("Right");
    for (const depth of [maxDepth + 1, 100_000])
      expect(parseStrict(nested(depth))).toMatchObject(refused("too deep", expect.any(Number) as number));
  });

  it.each([
    ["a byte that begins nothing", [0x22, 0xff, 0x22]],
    ["a character cut short", [0x22, 0xe2, 0x82, 0x22]],
    ["half a surrogate pair", [0x22, 0xed, 0xa0, 0x80, 0x22]],
    ["more bytes than needed", [0x22, 0xc0, 0xa2, 0x22]],
  ])("bytes that are no UTF-8: %s", (_, bytes) => {
    expect(parseStrict(Uint8Array.from(bytes))).toEqual(refused("invalid UTF-8", 0));
  });

  it("a byte order mark", () => {
    expect(parseStrict(Uint8Array.of(0xef, 0xbb, 0xbf, 0x31))).toEqual(refused("not JSON", 0));
  });
});

describe("numbers", () => {
  it.each([
    // As written; in room version 6 and later; as an integer in any spelling; in versions 1 to 5.
    ["0", "0", "0", "0"],
    ["-1", "-1", "-1", "-1"],
    ["9007199254740991", "9007199254740991", "9007199254740991", "9007199254740991"],
    ["-9007199254740991", "-9007199254740991", "-9007199254740991", "-9007199254740991"],
    ["9007199254740992", null, null, "9007199254740992"],
    ["9007199254740993", null, null, "9007199254740993"],
    ["-9007199254740992", null, null, "-9007199254740992"],
    ["123456789012345678901234567890", null, null, "123456789012345678901234567890"],
    ["-0", null, "0", "0"],
    ["-0.0", null, "0", "-0.0"],
    ["0e5", null, "0", "0e5"],
    ["1.0", null, "1", "1.0"],
    ["1.50", null, null, "1.50"],
    ["1.5", null, null, "1.5"],
    ["1.5e1", null, "15", "1.5e1"],
    ["10e-1", null, "1", "10e-1"],
    ["1e10", null, "10000000000", "1e10"],
    ["-1E+2", null, "-100", "-1E+2"],
    ["9007199254740991.0", null, "9007199254740991", "9007199254740991.0"],
    // A double rounds these to an integer, to zero and to infinity.
    ["9007199254740990.9999", null, null, "9007199254740990.9999"],
    ["1e-400", null, null, "1e-400"],
    ["1e400", null, null, "1e400"],
    ["0.00000000000000001e17", null, "1", "0.00000000000000001e17"],
    ["0e99999999999999999999", null, "0", "0e99999999999999999999"],
    ["1e99999999999999999999", null, null, "1e99999999999999999999"],
  ])("%s", (written, plain, integers, any) => {
    const source = `{"a":${written}}`;
    const wrapped = (number: string | null): string | null => number && `{"a":${number}}`;
    expect(canonicalOf(source, "plain")).toBe(wrapped(plain));
    expect(canonicalOf(source, "integers")).toBe(wrapped(integers));
    expect(canonicalOf(source, "any")).toBe(wrapped(any));
  });

  it("a number of a million digits is read in no time", () => {
    for (const written of [`1${"0".repeat(1e6)}1`, `1${"0".repeat(1e6)}e-1000000`, `0.${"0".repeat(1e6)}1`]) {
      const before = process.cpuUsage();
      for (const spelling of ["plain", "integers", "any"] as const) parseStrict(written, spelling);
      expect(process.cpuUsage(before).user).toBeLessThan(5_000_000);
    }
  });

  it("are plain numbers wherever only integers may stand", () => {
    expect(parseStrict("[1e1,-0,2.0]", "integers")).toEqual(right([10, 0, 2]));
  });

  it("kept as they were written have their value still", () => {
    const parsed = parseStrict('[1.0,1e400,"1.0"]', "any");
    expect(isLeft(parsed) ? undefined : JSON.stringify(parsed.right)).toBe('[1,null,"1.0"]');
    const written = new WrittenNumber("5.1E1");
    expect([String(written), Number(written), JSON.stringify({ written })]).toEqual([
      "5.1E1",
      51,
      '{"written":51}',
    ]);
  });

  it("every spelling of an integer is that integer", () => {
    fc.assert(
      fc.property(
        fc.maxSafeInteger(),
        fc.nat(20),
        fc.constantFrom("e", "E", "e+", "E+"),
        (value, zeros, e) => {
          const digits = String(Math.abs(value));
          const point = zeros % (digits.length + 1);
          const shifted = `${digits.slice(0, point) || "0"}.${digits.slice(point)}0${e}${digits.length - point}`;
          for (const spelling of [
            `${digits}.${"0".repeat(zeros + 1)}`,
            `${digits}${"0".repeat(zeros)}e-${zeros}`,
            shifted,
          ])
            expect(exactInteger(`${value < 0 ? "-" : ""}${spelling}`)).toBe(value === 0 ? 0 : value);
        },
      ),
    );
  });
});

it("canonical JSON is read back by every reading, and is its own canonical form", () => {
  fc.assert(
    fc.property(json, (value) => {
      const canonical = canonicalOf(JSON.stringify(value), "plain");
      for (const spelling of ["plain", "integers", "any"] as const)
        expect(canonicalOf(canonical ?? "", spelling)).toBe(canonical);
    }),
  );
});

it("never throws, on a text or on bytes", () => {
  const spelling = fc.constantFrom("plain", "integers", "any");
  const source = fc.oneof(text, fc.string({ unit: "binary" }), fc.uint8Array(), fc.json());
  fc.assert(
    fc.property(source, spelling, (input, how) => {
      expect(["Left", "Right"]).toContain(parseStrict(input, how)._tag);
    }),
  );
});

describe("crafted cases", () => {
  const spellings: Readonly<Record<Vectors["canonical-json"]["mode"], NumberSpelling>> = {
    transform: "integers",
    strict: "plain",
    legacy: "any",
    "is-canonical": "plain",
  };

  it.each(vectors("canonical-json"))("$name", ({ input, mode, expected }) => {
    const canonical = canonicalOf(input, spellings[mode]);
    expect(mode === "is-canonical" ? canonical === input : canonical).toBe(expected);
  });
});

describe("random cases", () => {
  const cases = vectors("json");

  it.each(cases.filter(({ specUndefined }) => specUndefined === undefined))(
    "$id, $class",
    ({ text: source, specCanonical }) => {
      expect(canonicalOf(source, "integers")).toBe(specCanonical);
    },
  );

  it.each(cases.filter(({ specUndefined }) => specUndefined))(
    "$id, $class: not decided, but answered",
    ({ text: source }) => {
      for (const spelling of ["plain", "integers", "any"] as const)
        expect(() => canonicalOf(source, spelling)).not.toThrow();
    },
  );
});
