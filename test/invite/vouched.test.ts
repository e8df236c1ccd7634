import fc from "fast-check";
import { readFileSync, readdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parseIdentityServerName } from "../../src/invite/identity-server-name.js";
import { isVouched, signersOf } from "../../src/invite/vouched.js";
import { decodeBase64, encodeBase64 } from "../../src/matrix/base64.js";
import type { ServerName } from "../../src/matrix/ids.js";
import { type JsonObject, isJsonObject } from "../../src/matrix/json.js";
import { signatureText, withSignature } from "../../src/matrix/signed-json.js";
import { nodeCrypto } from "../../src/node/crypto.js";
import { portableCrypto } from "../../src/portable/crypto.js";
import { hostile } from "../fuzz/hostile.js";
import {
  bob,
  counting,
  ephemeralKey,
  longTermKey,
  rightOf,
  sign,
  strangeKey,
  token,
  written,
} from "./room.js";

const nameOf = (text: string): ServerName => rightOf(parseIdentityServerName(text));

/** As both engines see it. */
const vouched = (json: JsonObject, keys: ReadonlyMap<ServerName, readonly string[]>): boolean => {
  const is = isVouched(portableCrypto, json, keys);
  expect(isVouched(nodeCrypto, json, keys)).toBe(is);
  return is;
};

interface Captured {
  readonly identityServer: { readonly name: string; readonly publicKey: string };
  readonly serverExchanges: readonly {
    readonly request: { readonly path: string; readonly body: JsonObject };
  }[];
}

const transcripts = new URL("../fixtures/transcripts/", import.meta.url);

/** Every onbind that Sydent has sent to the captured homeservers. */
const deliveries = readdirSync(transcripts)
  .filter((file) => file.startsWith("synapse-"))
  .flatMap((file) => {
    const captured = JSON.parse(readFileSync(new URL(file, transcripts), "utf8")) as Captured;
    const { name, publicKey } = captured.identityServer;
    return captured.serverExchanges
      .filter(({ request }) => request.path.endsWith("/3pid/onbind"))
      .map(({ request: { body } }, at) => ({
        of: `${file} ${at + 1}`,
        body,
        publicKey,
        keys: new Map([[nameOf(name), [publicKey]]]),
      }));
  });

test("there are captured deliveries of four room versions", () => {
  expect(deliveries.length).toBeGreaterThanOrEqual(12);
  expect(new Set(deliveries.map(({ of }) => of.split(" ")[0])).size).toBe(4);
});

/** All places of a JSON value that are no container, as paths. */
const leaves = (
  value: unknown,
  path: readonly (string | number)[] = [],
): readonly (readonly (string | number)[])[] => {
  if (Array.isArray(value)) return value.flatMap((one: unknown, at) => leaves(one, [...path, at]));
  if (isJsonObject(value))
    return Object.entries(value).flatMap(([name, one]) => leaves(one, [...path, name]));
  return [path];
};

/** The same JSON with another value in one place. */
const changedAt = (json: JsonObject, path: readonly (string | number)[]): JsonObject => {
  const copy = structuredClone(json);
  let place: object = copy;
  for (const name of path.slice(0, -1)) place = Reflect.get(place, name) as object;
  const last = path.at(-1) ?? "";
  const was: unknown = Reflect.get(place, last);
  Reflect.set(place, last, typeof was === "number" ? was + 1 : `${String(was)}x`);
  return copy;
};

describe.each(deliveries)("the captured delivery $of", ({ body, keys, publicKey }) => {
  test("verifies as a whole by the long-term key", () => {
    expect(vouched(body, keys)).toBe(true);
  });

  test("so does each entry's own signed", () => {
    const entries = body["invites"] as readonly { readonly signed: JsonObject }[];
    expect(entries.length).toBeGreaterThan(0);
    for (const { signed } of entries) expect(vouched(signed, keys)).toBe(true);
  });

  test("with another value in any place it does not", () => {
    const places = leaves(body);
    expect(places.length).toBeGreaterThan(10);
    for (const path of places) expect([path, vouched(changedAt(body, path), keys)]).toEqual([path, false]);
  });

  test("with a member more or less it does not", () => {
    expect(vouched({ ...body, more: 1 }, keys)).toBe(false);
    for (const name of Object.keys(body).filter((one) => one !== "unsigned"))
      expect(vouched(Object.fromEntries(Object.entries(body).filter(([one]) => one !== name)), keys)).toBe(
        false,
      );
    expect(vouched({ ...body, invites: [] }, keys)).toBe(false);
  });

  test("a signature covers no unsigned, and no order of members", () => {
    expect(vouched({ ...body, unsigned: { age: 1 } }, keys)).toBe(true);
    expect(vouched(Object.fromEntries(Object.entries(body).toReversed()), keys)).toBe(true);
  });

  test("only a key that is held for that name counts, in either alphabet", () => {
    const [name] = keys.keys();
    if (name === undefined) throw new Error("It has a name.");
    const urlSafe = publicKey.replaceAll("+", "-").replaceAll("/", "_");
    expect(vouched(body, new Map([[name, [urlSafe]]]))).toBe(true);
    expect(vouched(body, new Map([[name, ["", "?", written(strangeKey), publicKey]]]))).toBe(true);
    expect(vouched(body, new Map())).toBe(false);
    expect(vouched(body, new Map([[name, []]]))).toBe(false);
    expect(vouched(body, new Map([[name, [written(strangeKey)]]]))).toBe(false);
    expect(vouched(body, new Map([[nameOf("id.example"), [publicKey]]]))).toBe(false);
  });
});

const idServer = nameOf("id.example:8448");
const held = new Map([[idServer, [written(longTermKey)]]]);
const signed = sign({ mxid: bob, token });
const textBy = (key: typeof longTermKey): string =>
  signatureText(sign({ mxid: bob, token }, key), { entity: "id.example:8448", keyId: "ed25519:0" }) ?? "";
const good = textBy(longTermKey);
const withSignatures = (signatures: unknown): JsonObject => ({ ...signed, signatures });

describe("signatures", () => {
  const many = (count: number, text: string): Record<string, string> =>
    Object.fromEntries(Array.from({ length: count }, (_, at) => [`ed25519:${at}`, text]));
  const bad = textBy(strangeKey);

  test.each<readonly [string, unknown, boolean]>([
    ["as identity servers write them", { "id.example:8448": { "ed25519:0": good } }, true],
    ["whatever the key is called", { "id.example:8448": { "ed25519:any": good } }, true],
    ["in another spelling of the name", { "ID.example:08448": { "ed25519:0": good } }, true],
    [
      "beside another server's",
      { "x.example": { "ed25519:0": bad }, "id.example:8448": { "ed25519:0": good } },
      true,
    ],
    ["beside three that are bad", { "id.example:8448": { ...many(3, bad), "ed25519:x": good } }, true],
    [
      "behind four that are bad: no more are tried",
      { "id.example:8448": { ...many(4, bad), "ed25519:x": good } },
      false,
    ],
    [
      "of a third server: no more are tried",
      { a: {}, b: {}, "id.example:8448": { "ed25519:0": good } },
      false,
    ],
    ["of another server", { "other.example": { "ed25519:0": good } }, false],
    ["of the server without its port", { "id.example": { "ed25519:0": good } }, false],
    ["by another key", { "id.example:8448": { "ed25519:0": bad } }, false],
    [
      "by the ephemeral key, which whoever has the mail can use",
      { "id.example:8448": { "ed25519:0": textBy(ephemeralKey) } },
      false,
    ],
    ["of another algorithm", { "id.example:8448": { "rsa:0": good } }, false],
    ["without algorithm", { "id.example:8448": { "0": good } }, false],
  ])("%s", (_, signatures, is) => {
    expect(vouched(withSignatures(signatures), held)).toBe(is);
  });

  test("of the port of https and of none are of one server", () => {
    const json = withSignature(
      { a: 1 },
      "id.example:443",
      "ed25519:0",
      longTermKey.sign(new TextEncoder().encode('{"a":1}')),
    );
    expect(vouched(json, new Map([[nameOf("id.example"), [written(longTermKey)]]]))).toBe(true);
  });

  const odd: readonly unknown[] = [
    undefined,
    null,
    true,
    7,
    "",
    good,
    [],
    [good],
    {},
    { "id.example:8448": null },
    { "id.example:8448": good },
    { "id.example:8448": [good] },
    { "id.example:8448": {} },
    ...[
      null,
      7,
      {},
      [],
      [good],
      "",
      "=",
      "AAAA",
      `${good}A`,
      good.slice(1),
      "\ud800",
      "\u0000",
      "A".repeat(86),
      "é".repeat(64),
    ].map((text) => ({ "id.example:8448": { "ed25519:0": text } })),
    { "": { "ed25519:0": good } },
    { "not a name": { "ed25519:0": good } },
    JSON.parse(`{"__proto__":{"ed25519:0":"${good}"}}`),
    JSON.parse(`{"id.example:8448":{"__proto__":"${good}"}}`),
    { constructor: { "ed25519:0": good } },
  ];

  test.each(odd.map((one) => [one]))("that are odd are none: %j", (signatures) => {
    expect(vouched(withSignatures(signatures), held)).toBe(false);
    expect(() => signersOf(withSignatures(signatures))).not.toThrow();
  });

  test("padded base64 is the same signature", () => {
    expect(vouched(withSignatures({ "id.example:8448": { "ed25519:0": `${good}==` } }), held)).toBe(true);
  });

  test.each([
    "",
    "?",
    "AAAA",
    `${written(longTermKey)}AAAA`,
    "\ud800",
    encodeBase64(new Uint8Array(32)),
    encodeBase64(new Uint8Array(33)),
  ])("by a key that is none: %j", (key) => {
    expect(vouched(signed, new Map([[idServer, [key]]]))).toBe(false);
  });

  test("what has no canonical form is signed by nobody", () => {
    for (const value of [NaN, Infinity, "\ud800", undefined, () => 1, 1n])
      expect(vouched({ ...signed, value }, held)).toBe(false);
    let deep: unknown = 1;
    for (let depth = 0; depth < 5_000; depth += 1) deep = [deep];
    expect(vouched({ ...signed, deep }, held)).toBe(false);
  });

  test("nothing is verified where no key is held, and two servers with four signatures each at most", () => {
    const flood = Object.fromEntries(
      Array.from({ length: 500 }, (_, at) => [
        at === 1 ? "id.example:8448" : `s${at}.example`,
        many(500, bad),
      ]),
    );
    const none = counting(nodeCrypto);
    expect(isVouched(none, withSignatures(flood), new Map())).toBe(false);
    expect(none.calls()).toBe(0);
    const two = counting(nodeCrypto);
    const keys = new Map([...held, [nameOf("s0.example"), [written(longTermKey)]] as const]);
    expect(isVouched(two, withSignatures(flood), keys)).toBe(false);
    expect(two.calls()).toBe(8);
  });

  test("whatever they are: an answer, and never yes by chance", () => {
    expect(decodeBase64(good)).toHaveLength(64);
    fc.assert(
      fc.property(hostile, fc.anything(), (signatures, member) => {
        expect(vouched({ ...signed, signatures, member }, held)).toBe(false);
        expect(vouched(withSignatures({ "id.example:8448": signatures }), held)).toBe(false);
        expect(vouched(withSignatures({ "id.example:8448": { "ed25519:0": signatures } }), held)).toBe(false);
      }),
      { numRuns: 500 },
    );
  });
});
