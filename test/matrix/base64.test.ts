import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeBase64, encodeBase64 } from "../../src/matrix/base64.js";
import { vectors } from "./vectors.js";

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const hexOf = (bytes: Uint8Array | undefined): string | null =>
  bytes === undefined ? null : Buffer.from(bytes).toString("hex");

describe("the specification's examples", () => {
  it.each([
    ["", ""],
    ["f", "Zg"],
    ["fo", "Zm8"],
    ["foo", "Zm9v"],
    ["foob", "Zm9vYg"],
    ["fooba", "Zm9vYmE"],
    ["foobar", "Zm9vYmFy"],
  ])("%j is %j", (plain, encoded) => {
    expect(encodeBase64(bytesOf(plain))).toBe(encoded);
    expect(decodeBase64(encoded)).toEqual(bytesOf(plain));
  });
});

describe("crafted cases", () => {
  // The column `standardUnpadded` is about a decoder that refuses padding: the specification says to take it, so there is none.
  it.each(vectors("base64"))("$name: $input", ({ input, standardLenient, keyDecoder, bytesHex }) => {
    expect(hexOf(decodeBase64(input, "standard"))).toBe(standardLenient ? bytesHex : null);
    expect(hexOf(decodeBase64(input, "either"))).toBe(keyDecoder ? bytesHex : null);
  });
});

const alphabets = ["standard", "urlsafe"] as const;

describe.each(alphabets)("%s", (alphabet) => {
  const nodes = alphabet === "standard" ? "base64" : "base64url";

  it("writes what Node writes, without padding", () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        const expected = Buffer.from(bytes).toString(nodes).replaceAll("=", "");
        expect(encodeBase64(bytes, alphabet)).toBe(expected);
      }),
    );
  });

  it("reads back what it wrote, padded or not", () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        const encoded = encodeBase64(bytes, alphabet);
        const padded = encoded.padEnd(Math.ceil(encoded.length / 4) * 4, "=");
        for (const text of [encoded, padded])
          for (const accepted of [alphabet, "either"] as const)
            expect(decodeBase64(text, accepted)).toEqual(bytes);
      }),
    );
  });
});

it("the alphabets differ in two letters", () => {
  const bytes = Uint8Array.of(0xfb, 0xff);
  expect([encodeBase64(bytes), encodeBase64(bytes, "urlsafe")]).toEqual(["+/8", "-_8"]);
});

it.each([
  ["+/8", "standard", true],
  ["+/8", "urlsafe", false],
  ["-_8", "standard", false],
  ["-_8", "urlsafe", true],
  ["+/8", "either", true],
  ["-_8", "either", true],
] as const)("%s is read as %s: %s", (text, alphabet, readable) => {
  expect(decodeBase64(text, alphabet) !== undefined).toBe(readable);
});

it.each([
  "A",
  "AAAAA",
  "Zg=",
  "Zg===",
  "Z===",
  "=",
  "==",
  "===",
  "====",
  "Zm9v=",
  "Zm9v====",
  "Zg==Zg==",
  "Z g",
  "Zg\n",
])("%j is no base64", (text) => {
  expect(decodeBase64(text)).toBeUndefined();
});

it.each(["Zm9v\u0141", "Zm9\u0176", "\u{1f600}\u{1f600}", "Zm9\u{ff4}"])(
  "%j: a letter beyond ASCII stands for none within it",
  (text) => {
    expect(decodeBase64(text)).toBeUndefined();
  },
);

it.each([
  ["Zg", "Zh", "Zv"],
  ["Zm8", "Zm9", "Zm_"],
])("the bits that the last letter has to spare are ignored: %s, %s, %s", (...texts) => {
  const [first, ...others] = texts.map((text) => decodeBase64(text));
  for (const other of others) expect(other).toEqual(first);
});

it("any text is either bytes, whose encoding decodes to them again, or none", () => {
  const letters = fc.string({
    unit: fc.constantFrom("A", "b", "0", "+", "/", "-", "_", "=", " ", "é"),
    maxLength: 12,
  });
  fc.assert(
    fc.property(
      fc.oneof(letters, fc.string({ unit: "binary" })),
      fc.constantFrom(...alphabets, "either"),
      (text, alphabet) => {
        const bytes = decodeBase64(text, alphabet);
        if (bytes !== undefined) expect(decodeBase64(encodeBase64(bytes))).toEqual(bytes);
      },
    ),
  );
});
