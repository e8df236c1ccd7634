import fc from "fast-check";
import { type Either, isLeft, isRight, right } from "fp-ts/lib/Either.js";
import { describe, expect, it } from "vitest";
import {
  type Malformed,
  type UserId,
  domainOf,
  maxIdentifierBytes,
  parseRoomId,
  parseServerName,
  parseUserId,
  serverOf,
} from "../../src/matrix/ids.js";
import { anything } from "./arbitrary-json.js";

const ofLength = (bytes: number, before: string, after: string): string =>
  before + "a".repeat(bytes - before.length - after.length) + after;

const refused = (what: Malformed["what"]): object => ({ _tag: "Left", left: { _tag: "Malformed", what } });

describe("a server name", () => {
  it.each([
    "matrix.org",
    "matrix.org:8448",
    "EXAMPLE.org",
    "localhost",
    "xn--bcher-kva.example",
    "1.2.3.4:1234",
    "[1234:5678::abcd]",
    "[::]",
    "[1234:5678::abcd]:5678",
    "[::ffff:1.2.3.4]:1",
    "a:0",
    "a:99999",
    "a".repeat(255),
  ])("may be %s", (name) => {
    expect(parseServerName(name)).toEqual(right(name));
  });

  it.each([
    "",
    ":8448",
    "https://matrix.org",
    "matrix.org/",
    "matrix.org?a",
    "matrix.org#a",
    "user@matrix.org",
    "matrix.org:",
    "matrix.org:123456",
    "matrix.org:x",
    "matrix.org:8448:1",
    " matrix.org",
    "matrix .org",
    "matrix.org\n",
    "matrix.org\0",
    "bücher.example",
    "a_b",
    "a%b",
    "::1",
    "[::1",
    "::1]",
    "[]",
    "[g::1]",
    "[::1]x",
    "a".repeat(256),
    undefined,
    null,
    1,
    {},
    ["matrix.org"],
  ])("cannot be %j", (name) => {
    expect(parseServerName(name)).toMatchObject(refused("server name"));
  });
});

describe("a user ID", () => {
  it.each([
    "@alice:example.org",
    "@a.b_c=d-e/f+g:example.org:8448",
    "@a:[::1]:8448",
    "@a:1.2.3.4",
    "@:example.org",
    "@ALICE:example.org",
    "@a b:example.org",
    "@bücher\u{1f600}:example.org",
    "@@:example.org",
    "@__proto__:example.org",
    "@\u0001\n:example.org",
    ofLength(255, "@", ":example.org"),
  ])("may be %j, new or historical", (id) => {
    expect(parseUserId(id)).toEqual(right(id));
  });

  it.each([
    "",
    "@",
    "alice:example.org",
    " @a:example.org",
    "!a:example.org",
    "@alice",
    "@alice:",
    "@a:b:c",
    "@a:b:1:2",
    "@a\0b:example.org",
    "@a\ud800:example.org",
    "@a:exa mple.org",
    "@a:example.org\n",
    "@a:bücher.example",
    ofLength(256, "@", ":example.org"),
    undefined,
    null,
    1,
    {},
    ["@a:b"],
  ])("cannot be %j", (id) => {
    expect(parseUserId(id)).toMatchObject(refused("user ID"));
  });

  it("has 255 bytes at most, not characters", () => {
    const fits = `@${"é".repeat(121)}:example.org`;
    expect(Buffer.byteLength(fits)).toBe(maxIdentifierBytes);
    expect(isRight(parseUserId(fits))).toBe(true);
    expect(isLeft(parseUserId(fits.replace(":", "a:")))).toBe(true);
  });
});

describe("a room ID", () => {
  it.each([
    "!x:domain",
    "!Nhcu5BS-UMnFX7hBVfVSoXiD7OgH6iRT-xyIuqDnpYQ",
    "!a",
    "!:",
    "!a:b:c:d",
    "!é\u{1f600}:domain",
    ofLength(255, "!", ""),
  ])("may be %j", (id) => {
    expect(parseRoomId(id)).toEqual(right(id));
  });

  it.each([
    "",
    "!",
    "#alias:domain",
    "$event",
    "x:domain",
    "!a\0",
    "!a\ud800",
    `!${"é".repeat(128)}`,
    ofLength(256, "!", ""),
    undefined,
    null,
    1,
    {},
    ["!a"],
  ])("cannot be %j", (id) => {
    expect(parseRoomId(id)).toMatchObject(refused("room ID"));
  });
});

it.each([
  [parseServerName, "https://matrix.org", "server name", "host name"],
  [parseUserId, "alice", "user ID", "begins with @"],
  [parseUserId, ofLength(256, "@", ":b"), "user ID", "255 bytes"],
  [parseUserId, "@alice", "user ID", "server name"],
  [parseUserId, "@a\0:b", "user ID", "NUL"],
  [parseRoomId, "#alias:b", "room ID", "begins with !"],
  [parseRoomId, ofLength(256, "!", ""), "room ID", "255 bytes"],
  [parseRoomId, "!a\0", "room ID", "NUL"],
] as const)("says why %# is none: %s", (parse, text, what, why) => {
  const malformed = { _tag: "Malformed", what, why: expect.stringContaining(why) as string };
  expect(parse(text)).toEqual({ _tag: "Left", left: malformed });
});

it.each([
  ["@a:example.org", "example.org"],
  ["@a:example.org:8448", "example.org:8448"],
  ["@a:[::1]:8448", "[::1]:8448"],
  ["@:b", "b"],
])("%s is of the server behind its first colon", (id, server) => {
  expect(serverOf(id as UserId)).toBe(server);
});

it.each([
  ["", ""],
  ["no colon", ""],
  [":", ""],
  [":b", "b"],
  ["!x:domain", "domain"],
  ["$0:domain:1", "domain:1"],
])("an unchecked %j has the domain %j", (id, domain) => {
  expect(domainOf(id)).toBe(domain);
});

const texts = (...units: readonly string[]) =>
  fc.string({ unit: fc.constantFrom("a", "1", ":", ".", ...units) });

const almost = fc.oneof(
  anything,
  texts("@", "!", "[", "]", "é", " ", "\0", "\ud800"),
  texts("[", "]", "-").map((rest) => `@${rest}`),
);

it("the parsers take anything, and give back the text itself or a reason that does not repeat it", () => {
  fc.assert(
    fc.property(almost, (value) => {
      for (const parse of [parseServerName, parseUserId, parseRoomId]) {
        const result: Either<Malformed, string> = parse(value);
        if (isRight(result)) expect(result.right).toBe(value);
        else expect(Object.keys(result.left).sort()).toEqual(["_tag", "what", "why"]);
      }
    }),
    { numRuns: 500 },
  );
});

it("the server of a user ID is a server name", () => {
  fc.assert(
    fc.property(almost, (value) => {
      const id = parseUserId(value);
      if (isRight(id)) expect(parseServerName(serverOf(id.right))).toEqual(right(serverOf(id.right)));
    }),
    { numRuns: 500 },
  );
});
