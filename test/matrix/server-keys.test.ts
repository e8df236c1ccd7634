import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encodeBase64 } from "../../src/matrix/base64.js";
import type { JsonObject } from "../../src/matrix/json.js";
import { parseServerKeys } from "../../src/matrix/server-keys.js";
import { signJson } from "../../src/matrix/signed-json.js";
import { nodeCrypto, nodeSigningKey } from "../../src/node/crypto.js";
import { anything } from "./arbitrary-json.js";

const key = (name: string, fill: number) => nodeSigningKey(`ed25519:${name}`, new Uint8Array(32).fill(fill));
const [one, two, old] = [key("one", 1), key("two", 2), key("old", 3)];
const written = ({ publicKey }: typeof one): string => encodeBase64(publicKey);

const now = 1_700_000_000_000;
const week = 604_800_000;
const serverName = "far.example:8448";

const must = <A>(either: { readonly _tag: string; readonly right?: A }): A => {
  if (either._tag !== "Right") throw new Error(JSON.stringify(either));
  return either.right as A;
};

const document = (change: JsonObject = {}): JsonObject => ({
  server_name: serverName,
  valid_until_ts: now + 1_000,
  verify_keys: { "ed25519:one": { key: written(one) } },
  old_verify_keys: { "ed25519:old": { key: written(old), expired_ts: 5 } },
  ...change,
});

const signed = (change: JsonObject = {}, ...by: (typeof one)[]): JsonObject =>
  (by.length === 0 ? [one] : by).reduce(
    (made, signer) => must(signJson(made, serverName, signer, "any")),
    document(change),
  );

const read = (given: unknown) => parseServerKeys(nodeCrypto, given, { serverName, now });
const bad = (field: string) => ({ _tag: "Left", left: { _tag: "BadServerKeys", field } });

it("the keys of a document, those of today and those of before", () => {
  expect(must(read(signed()))).toEqual({
    serverName,
    validUntilTs: now + 1_000,
    keys: new Map([
      ["ed25519:one", { publicKey: one.publicKey, validUntilTs: now + 1_000 }],
      ["ed25519:old", { publicKey: old.publicKey, expiredTs: 5 }],
    ]),
  });
});

it.each([
  [now - 1, now - 1],
  [0, 0],
  [now + week, now + week],
  [now + week + 1, now + week],
  [Number.MAX_SAFE_INTEGER, now + week],
])("valid_until_ts %d is believed up to %d", (valid_until_ts, validUntilTs) => {
  const known = must(read(signed({ valid_until_ts })));
  expect([known.validUntilTs, known.keys.get("ed25519:one")?.validUntilTs]).toEqual([
    validUntilTs,
    validUntilTs,
  ]);
});

it("a key that is among the old ones has expired, also where it is among the others", () => {
  const old_verify_keys = { "ed25519:one": { key: written(one), expired_ts: 7 } };
  expect(must(read(signed({ old_verify_keys }))).keys.get("ed25519:one")?.expiredTs).toBe(7);
});

it("keys of other algorithms, signatures by unknown keys, and what is malformed are passed over", () => {
  const verify_keys = {
    "ed25519:one": { key: written(one) },
    "slh-dsa:1": { key: "AAAA" },
    "ed25519:short": { key: "AAAA" },
    "ed25519:null": null,
    "ed25519:number": { key: 5 },
    "ed25519:weak": { key: encodeBase64(new Uint8Array(32)) },
  };
  const old_verify_keys = {
    "ed25519:old": { key: written(old), expired_ts: "5" },
    "ed25519:two": { key: written(two) },
  };
  const given = signed({ verify_keys, old_verify_keys }, one, two, old);
  const { signatures } = given as { signatures: Record<string, JsonObject> };
  const odd = {
    ...given,
    signatures: {
      ...signatures,
      [serverName]: { ...signatures[serverName], "slh-dsa:1": "AAAA", "ed25519:short": "AAAA" },
      "notary.example": { "ed25519:n": "AAAA" },
    },
  };
  expect([...must(read(odd)).keys.keys()]).toEqual(["ed25519:one"]);
});

describe("a document that says nothing", () => {
  it.each<[string, JsonObject, string]>([
    ["of another server", { server_name: "other.example" }, "server_name"],
    ["without a name", { server_name: undefined }, "server_name"],
    ["without an end", { valid_until_ts: undefined }, "valid_until_ts"],
    ["with an end in words", { valid_until_ts: "1" }, "valid_until_ts"],
    ["with a fraction", { valid_until_ts: 1.5 }, "valid_until_ts"],
    ["with a negative end", { valid_until_ts: -1 }, "valid_until_ts"],
    ["with an end beyond counting", { valid_until_ts: 2 ** 53 }, "valid_until_ts"],
    ["without keys", { verify_keys: {} }, "verify_keys"],
    ["without a usable key", { verify_keys: { "ed25519:one": { key: "x" } } }, "verify_keys"],
    ["without signatures", { signatures: undefined }, "signatures"],
    ["changed after it was signed", { more: true }, "signatures"],
  ])("%s", (_, change, field) => {
    expect(read({ ...signed(), ...change })).toEqual(bad(field));
  });

  it("signed by a key that it does not name, by an old one, or with a wrong signature beside a good one", () => {
    expect(read(signed({}, two))).toEqual(bad("signatures"));
    expect(read(signed({}, old))).toEqual(bad("signatures"));
    const verify_keys = { "ed25519:one": { key: written(one) }, "ed25519:two": { key: written(one) } };
    expect(read(signed({ verify_keys }, one, two))).toEqual(bad("signatures"));
  });

  it("whatever comes, it never throws", () => {
    fc.assert(
      fc.property(
        anything,
        fc.constantFrom("server_name", "valid_until_ts", "verify_keys", "signatures"),
        (value, field) => {
          read(value);
          read({ ...signed(), [field]: value, old_verify_keys: value });
        },
      ),
      { numRuns: 200 },
    );
  });
});

describe("documents of real servers", () => {
  const names = ["v1", "v6", "v10", "v12"];
  const documents = names.flatMap((name) => {
    const file = new URL(`../fixtures/transcripts/synapse-hs1-${name}.json`, import.meta.url);
    const { serverKeys, otherServer } = JSON.parse(readFileSync(file, "utf8")) as {
      readonly serverKeys: JsonObject;
      readonly otherServer: { readonly serverKeys: JsonObject };
    };
    return [serverKeys, otherServer.serverKeys].map(
      (one) => [String(one["server_name"]), name, one] as const,
    );
  });

  it.each(documents)("%s, captured with %s", (name, _, captured) => {
    const known = must(parseServerKeys(nodeCrypto, captured, { serverName: name, now: 1_795_420_000_000 }));
    expect([...known.keys.values()].map(({ publicKey }) => publicKey.length)).toEqual([32]);
    expect(known.validUntilTs).toBe(captured["valid_until_ts"]);
  });
});
