import { isRight, left, right } from "fp-ts/lib/Either.js";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { foldCase } from "../../src/threepid/case-fold.js";
import { parseThreepid } from "../../src/threepid/threepid.js";
import { anything } from "../matrix/arbitrary-json.js";

const bad = { left: { _tag: "BadAddress" } };

describe("parseThreepid: e-mail", () => {
  it.each([
    ["alice@example.com", "alice@example.com"],
    ["Strauß@Example.com", "strauss@example.com"],
    ["ALICE@EXAMPLE.COM", "alice@example.com"],
    ["a.b+Tag@Sub.Example.co.uk", "a.b+tag@sub.example.co.uk"],
    ["A@[192.0.2.1]", "a@[192.0.2.1]"],
    ["\u{1f600}@x", "\u{1f600}@x"],
    ["e\u0301@x.example", "e\u0301@x.example"],
    ["mailto@example.com", "mailto@example.com"],
    ["no-mailto:a@example.com", "no-mailto:a@example.com"],
  ])("%s is %s", (address, canonical) => {
    expect(parseThreepid("email", address)).toEqual(right({ medium: "email", address: canonical }));
  });

  it.each([
    "",
    "@",
    "a@",
    "@b",
    "ab",
    "a@b@c",
    "Alice <alice@example.com>",
    "<alice@example.com>",
    "mailto:alice@example.com",
    "MAILTO:alice@example.com",
    '"Alice" alice@example.com',
    "a b@example.com",
    " a@example.com",
    "a@example.com ",
    "a@example.com\n",
    "a\0@example.com",
    "a\u00a0@example.com",
    "a\ud800@example.com",
    "a\u2028@b",
    "a@b\u0085",
    "a\u007f@b",
  ])("%j is no user@domain", (address) => {
    expect(parseThreepid("email", address)).toMatchObject(bad);
  });

  it.each(
    [
      0x00, 0x1b, 0x85, 0xad, 0x3164, 0x200b, 0x200d, 0x202e, 0x2028, 0x2060, 0x2800, 0xe000, 0xfe0f, 0xfeff,
      0xe0041,
    ].map((code) => [code.toString(16), String.fromCodePoint(code)] as const),
  )("with U+%s, which nobody sees, it would be another address that looks the same", (_, character) => {
    for (const address of [
      `al${character}ice@example.com`,
      `alice@exam${character}ple.com`,
      `${character}alice@example.com`,
    ])
      expect(parseThreepid("email", address)).toMatchObject(bad);
  });

  it("an address has 254 bytes at most, also once it is folded", () => {
    const domain = "@example.com";
    const ofBytes = (bytes: number, unit: string): string =>
      unit.repeat((bytes - domain.length) / Buffer.byteLength(unit)) + domain;
    expect(isRight(parseThreepid("email", ofBytes(254, "a")))).toBe(true);
    expect(parseThreepid("email", ofBytes(255, "a"))).toMatchObject(bad);
    expect(isRight(parseThreepid("email", ofBytes(254, "é")))).toBe(true);
    expect(parseThreepid("email", ofBytes(256, "é"))).toMatchObject(bad);
    // U+0390 has two bytes and folds to six.
    expect(isRight(parseThreepid("email", ofBytes(12 + 80, "\u0390")))).toBe(true);
    expect(parseThreepid("email", ofBytes(12 + 82, "\u0390"))).toMatchObject(bad);
  });
});

it.each([
  ["email", `${"a".repeat(300)}@example.com`, "254 bytes"],
  ["email", "a".repeat(300), "254 bytes"],
  // U+0390 folds to six bytes.
  ["email", `${"\u0390".repeat(50)}@example.com`, "254 bytes"],
  ["email", "mailto:alice@example.com", "mailto:"],
  ["email", "alice", "user@domain"],
  ["email", 7, "text"],
  ["msisdn", 7, "text"],
  ["msisdn", "0041", "country code"],
])("the person who typed a bad address learns what is wrong: %s %#", (medium, address, why) => {
  expect(parseThreepid(medium, address)).toEqual(
    left({ _tag: "BadAddress", why: expect.stringContaining(why) as string }),
  );
});

describe("parseThreepid: phone number", () => {
  it.each([
    ["18005552067", "18005552067"],
    ["+18005552067", "18005552067"],
    ["12", "12"],
    ["123456789012345", "123456789012345"],
  ])("%s is %s", (address, canonical) => {
    expect(parseThreepid("msisdn", address)).toEqual(right({ medium: "msisdn", address: canonical }));
  });

  it.each([
    "",
    "+",
    "1",
    "018005552067",
    "+018005552067",
    "0018005552067",
    "++18005552067",
    "1234567890123456",
    "1 800 555 2067",
    "1-800-555-2067",
    "(800)5552067",
    "tel:18005552067",
    "18005552067\n",
    " 18005552067",
    "１８００５５５２０６７",
    "1800555206a",
    "1e10",
    "18005552067x1",
  ])("%j is not in international form", (address) => {
    expect(parseThreepid("msisdn", address)).toMatchObject(bad);
  });
});

describe("parseThreepid: whatever comes", () => {
  it.each(["Email", "EMAIL", "phone", "", "__proto__", "constructor", undefined, null, 1, ["email"]])(
    "%j is no medium",
    (medium) => {
      expect(parseThreepid(medium, "alice@example.com")).toEqual(left({ _tag: "UnknownMedium" }));
    },
  );

  it.each([undefined, null, 18005552067, {}, ["a@b"], true])("%j is no address", (address) => {
    expect(parseThreepid("email", address)).toMatchObject(bad);
    expect(parseThreepid("msisdn", address)).toMatchObject(bad);
  });

  const medium = fc.constantFrom("email", "msisdn");
  const address = fc.oneof(
    anything,
    fc.string({
      unit: fc.constantFrom(
        "a",
        "Z",
        "ß",
        "\u0390",
        "@",
        ".",
        "+",
        "0",
        "9",
        " ",
        "<",
        "\ud800",
        "\u{1f600}",
      ),
    }),
    fc.string({ unit: "binary" }).map((text) => `a@${text}`),
    fc.stringMatching(/^\+?[0-9]{1,17}$/),
  );

  it("it never throws, and repeats nothing of a bad address", () => {
    fc.assert(
      fc.property(fc.oneof(medium, anything), address, (of, what) => {
        const result = parseThreepid(of, what);
        if (isRight(result)) expect(result.right.medium).toBe(of);
        else expect(["BadAddress", "UnknownMedium"]).toContain(result.left._tag);
      }),
      { numRuns: 1000 },
    );
  });

  it("a canonical address is its own canonical form", () => {
    fc.assert(
      fc.property(medium, address, (of, what) => {
        const once = parseThreepid(of, what);
        if (!isRight(once)) return;
        expect(parseThreepid(of, once.right.address)).toEqual(once);
        expect(foldCase(once.right.address)).toBe(once.right.address);
      }),
      { numRuns: 1000 },
    );
  });
});
