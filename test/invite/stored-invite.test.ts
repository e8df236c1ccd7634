import { describe, expect, test } from "vitest";
import { parseStoredInvite, parseToken } from "../../src/invite/stored-invite.js";
import {
  codeOf,
  email,
  ephemeralKey,
  ephemeralUrl,
  leftOf,
  longTermKey,
  rightOf,
  strangeKey,
  validityUrl,
  written,
} from "./room.js";

const threepid = email("zoe@example.com");
const answer = {
  token: "sometoken",
  public_keys: [
    { public_key: written(longTermKey), key_validity_url: validityUrl },
    { public_key: written(ephemeralKey, "urlsafe"), key_validity_url: ephemeralUrl },
  ],
  display_name: "z...@e...",
};
const parse = (change: unknown): ReturnType<typeof parseStoredInvite> =>
  parseStoredInvite({ ...answer, ...(change as object) }, threepid);

test("an honest answer", () => {
  expect(rightOf(parse({}))).toEqual({
    token: "sometoken",
    publicKeys: [
      { publicKey: written(longTermKey), keyValidityUrl: validityUrl },
      { publicKey: written(ephemeralKey, "urlsafe"), keyValidityUrl: ephemeralUrl },
    ],
    displayName: "z...@e...",
  });
});

test("members beyond those, such as a top-level public_key, are not looked at", () => {
  expect(parse({ public_key: 7, more: [] })).toEqual(parse({}));
});

describe("the token", () => {
  test.each(["a", "0.=_-Zz", "x".repeat(255)])("%j", (token) => {
    expect(rightOf(parse({ token })).token).toBe(token);
  });

  test.each(["", "x".repeat(256), "a b", "a\n", "ä", "a/b", "a+b", "@a", null, 7, ["a"], undefined])(
    "%j is refused",
    (token) => {
      expect(codeOf(parseToken(token))).toBe("TokenMalformed");
      expect(leftOf(parse({ token }))).toMatchObject({
        code: "TokenMalformed",
        errcode: "M_SERVER_NOT_TRUSTED",
        status: 403,
      });
    },
  );
});

describe("public_keys", () => {
  test.each([
    ["absent", undefined],
    ["empty (D-16)", []],
    ["an object", {}],
    ["a text", "x"],
    ["null", null],
    ["far too many", Array.from({ length: 17 }, () => answer.public_keys[0])],
    ["one bad beside a good one", [answer.public_keys[0], null]],
  ])("%s is refused", (_name, public_keys) => {
    expect(leftOf(parse({ public_keys }))).toMatchObject({
      code: "KeysMalformed",
      errcode: "M_SERVER_NOT_TRUSTED",
      status: 403,
    });
  });

  test("sixteen may be there", () => {
    const public_keys = Array.from({ length: 16 }, () => answer.public_keys[0]);
    expect(rightOf(parse({ public_keys })).publicKeys).toHaveLength(16);
  });

  test("order is kept: the first is the long-term one", () => {
    const public_keys = [...answer.public_keys].reverse();
    expect(rightOf(parse({ public_keys })).publicKeys[0].keyValidityUrl).toBe(ephemeralUrl);
  });
});

describe("a key", () => {
  test.each([
    ["missing", undefined],
    ["no text", 7],
    ["empty", ""],
    ["no base64", "!".repeat(43)],
    ["31 bytes", "A".repeat(42)],
    ["33 bytes", "A".repeat(44)],
    ["of small order", "A".repeat(43)],
    ["with a blank", `${written(longTermKey)} `],
  ])("%s is refused", (_name, public_key) => {
    expect(codeOf(parse({ public_keys: [{ public_key, key_validity_url: validityUrl }] }))).toBe(
      "KeysMalformed",
    );
  });

  test.each([
    ["standard", written(longTermKey)],
    ["URL-safe", written(longTermKey, "urlsafe")],
    ["padded", `${written(longTermKey)}=`],
  ])("%s is kept exactly as written", (_name, public_key) => {
    expect(
      rightOf(parse({ public_keys: [{ public_key, key_validity_url: validityUrl }] })).publicKeys,
    ).toEqual([{ publicKey: public_key, keyValidityUrl: validityUrl }]);
  });
});

describe("a validity URL", () => {
  test.each([
    undefined,
    null,
    7,
    "",
    "/isvalid",
    "http://id.example/isvalid",
    "ftp://id.example",
    "https://",
    "https://u:p@id.example/",
  ])("%j is refused", (key_validity_url) => {
    expect(codeOf(parse({ public_keys: [{ public_key: written(longTermKey), key_validity_url }] }))).toBe(
      "KeysMalformed",
    );
  });
});

describe("display_name", () => {
  test.each([
    undefined,
    null,
    7,
    "",
    "  ",
    "zoe@example.com",
    "ZOE at EXAMPLE.COM",
    "x".repeat(256),
    "\ud800",
  ])("%j is replaced, since the mail is out", (display_name) => {
    expect(rightOf(parse({ display_name })).displayName).toBe("zo...@ex...");
  });
});

test.each([undefined, null, "x", 7, [], {}])("no answer at all: %j", (value) => {
  expect(codeOf(parseStoredInvite(value, threepid))).toBe("TokenMalformed");
});

describe("keys that the host expects of an identity server", () => {
  const pinned = (...keys: readonly string[]) => codeOf(parseStoredInvite(answer, threepid, keys));
  const padded = (text: string): string => `${text}=`;

  test("one of them is among the answer's, in whichever alphabet and place", () => {
    expect(written(ephemeralKey)).not.toBe(written(ephemeralKey, "urlsafe"));
    for (const key of [longTermKey, ephemeralKey])
      for (const alphabet of ["standard", "urlsafe"] as const) {
        expect(pinned(written(key, alphabet))).toBeUndefined();
        expect(pinned(padded(written(key, alphabet)))).toBeUndefined();
        expect(pinned("", written(strangeKey), written(key, alphabet))).toBeUndefined();
      }
  });

  test.each([
    ["another key", [written(strangeKey)]],
    ["no key at all", []],
    ["no base64", ["!"]],
    ["an empty text", [""]],
    ["a part of the key", [written(longTermKey).slice(0, 40)]],
    ["two of the answer's as one", [written(longTermKey) + written(ephemeralKey)]],
  ])("%s is refused", (_name, keys) => {
    expect(leftOf(parseStoredInvite(answer, threepid, keys))).toMatchObject({
      code: "KeyNotPinned",
      errcode: "M_SERVER_NOT_TRUSTED",
      status: 403,
    });
  });

  test("only in the list of keys, not at the top level, which nobody reads", () => {
    const other = [{ public_key: written(strangeKey), key_validity_url: validityUrl }];
    const given = { ...answer, public_key: written(longTermKey), public_keys: other };
    expect(codeOf(parseStoredInvite(given, threepid, [written(longTermKey)]))).toBe("KeyNotPinned");
  });

  test("an answer that is wrong otherwise is that first", () => {
    expect(codeOf(parseStoredInvite({ ...answer, token: "" }, threepid, []))).toBe("TokenMalformed");
    expect(codeOf(parseStoredInvite({ ...answer, public_keys: [] }, threepid, []))).toBe("KeysMalformed");
  });
});
