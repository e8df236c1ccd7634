import fc from "fast-check";
import { type Either, isLeft, isRight, left, right } from "fp-ts/lib/Either.js";
import { describe, expect, it } from "vitest";
import { decodeBase64, encodeBase64 } from "../../src/matrix/base64.js";
import { type JsonObject, member } from "../../src/matrix/json.js";
import { signJson, signedBytes, verifyJson, withSignature } from "../../src/matrix/signed-json.js";
import { nodeCrypto, nodeSigningKey } from "../../src/node/crypto.js";
import { portableCrypto, portableSigningKey } from "../../src/portable/crypto.js";
import { anything, jsonObject, plainCanonical } from "./arbitrary-json.js";
import { vectors } from "./vectors.js";

const bytesOf = (text: string): Uint8Array => decodeBase64(text) ?? new Uint8Array();

const seed = bytesOf("YJDBA9Xnr2sVqXD9Vj7XVUnmFZcZrlw8Md7kMW+3XA1");
const key = nodeSigningKey("ed25519:1", seed);
const by = { entity: "domain", keyId: "ed25519:1", publicKey: key.publicKey };

const signed = (object: JsonObject): JsonObject => {
  const result = signJson(object, "domain", key);
  return isRight(result) ? result.right : {};
};

const textOf = (result: Either<unknown, Uint8Array>): string | undefined =>
  isLeft(result) ? undefined : new TextDecoder().decode(result.right);

const signatureOf = (object: JsonObject, entity = "domain", keyId = "ed25519:1"): unknown =>
  member(member(member(object, "signatures"), entity), keyId);

const good = right(undefined);
const none = left({ _tag: "NoSignature" });
const bad = left({ _tag: "BadSignature" });

it("the public key of the specification's seed", () => {
  expect(encodeBase64(key.publicKey)).toBe("XGX0JRS2Af3be3knz2fBiRbApjm2Dh61gXDJA8kcJNI");
});

describe.each([
  ["nodeSigningKey", nodeSigningKey, nodeCrypto],
  ["portableSigningKey", portableSigningKey, portableCrypto],
])("the specification's examples, signed by %s", (_, signingKey, engine) => {
  it.each([
    [
      "no members",
      {},
      "K8280/U9SSy9IVtjBuVeLr+HpOB4BQFWbg+UZaADMtTdGYI7Geitb76LTrr5QV/7Xg4ahLwYGYZzuHGZKM5ZAQ",
    ],
    [
      "two members",
      { one: 1, two: "Two" },
      "KqmLSbO39/Bzb0QIYE82zqLwsA+PDzYIpIRA2sRQ4sL53+sN6/fpNSoqE7BP7vBZhG6kYdD13EIMJpvhJI+6Bw",
    ],
    [
      "a proof",
      { mxid: "@alice:example.org", token: "abc123" },
      "bcYkW6mDNbs7yv/GNpvyxql/P1EWGcNiIy9tJllJQkc8cTsboPenZpQ9FOF1STsNTwsslwo4B1NjYcmSx9IGDw",
    ],
    [
      "a proof",
      { mxid: "@alice:example.org", sender: "@bob:example.com", token: "abc123" },
      "8aav5pa9Z5cecGlYwOF25MLXVCljtB3LhZcoN41gxWoEbeiEF1OPB8XR6ggAzKJ3D1AmsI1Av7HsdHfm1WqhBg",
    ],
  ])("%s: %j", (_, object, signature) => {
    const result = signJson(object, "domain", signingKey("ed25519:1", seed));
    const expected = { ...object, signatures: { domain: { "ed25519:1": signature } } };
    expect(result).toEqual(right(expected));
    expect(verifyJson(engine, expected, by)).toEqual(good);
  });
});

describe("what a signature covers", () => {
  it.each([
    [{ b: 1, a: 2 }, '{"a":2,"b":1}'],
    [{ a: 1, signatures: { domain: {} }, unsigned: { age: 1 } }, '{"a":1}'],
    [{ a: { signatures: 1, unsigned: 2 } }, '{"a":{"signatures":1,"unsigned":2}}'],
    [JSON.parse('{"__proto__":{"signatures":1}}'), '{"__proto__":{"signatures":1}}'],
    [{ signatures: Symbol("none"), unsigned: 0.5 }, "{}"],
  ])("%j", (object: JsonObject, covered) => {
    expect(textOf(signedBytes(object))).toBe(covered);
  });

  it("is what no canonical JSON stands for where there is none", () => {
    const reason = (name: string): unknown => left({ _tag: "NotCanonicalJson", reason: name });
    expect(signedBytes({ a: 0.5 })).toEqual(reason("number"));
    expect(signJson({ a: "\ud800" }, "domain", key)).toEqual(reason("lone surrogate"));
    expect(signJson({ a: () => 1 }, "domain", key)).toEqual(reason("not JSON"));
    expect(signJson({ a: 0.5 }, "domain", key)).toEqual(reason("number"));
    expect(verifyJson(nodeCrypto, { ...signed({}), a: 0.5 }, by)).toEqual(reason("number"));
    expect(verifyJson(nodeCrypto, { ...signed({}), a: undefined }, by)).toEqual(reason("not JSON"));
  });

  it("in room versions 1 to 5 may hold other numbers", () => {
    const result = signJson({ a: 0.5 }, "domain", key, "any");
    expect(textOf(signedBytes({ a: 0.5 }, "any"))).toBe('{"a":0.5}');
    expect(isRight(result) && verifyJson(nodeCrypto, result.right, by, "any")).toEqual(good);
  });
});

describe("where a signature goes", () => {
  const bytes = new Uint8Array(64);
  const text = encodeBase64(bytes);

  it.each([
    ["to none", {}, { domain: { "ed25519:1": text } }],
    [
      "beside another server's",
      { signatures: { other: { "ed25519:1": "x" } } },
      { other: { "ed25519:1": "x" }, domain: { "ed25519:1": text } },
    ],
    [
      "beside another key's",
      { signatures: { domain: { "ed25519:0": "x" } } },
      { domain: { "ed25519:0": "x", "ed25519:1": text } },
    ],
    [
      "over the same key's",
      { signatures: { domain: { "ed25519:1": "x" } } },
      { domain: { "ed25519:1": text } },
    ],
    ["over what is no object", { signatures: "x" }, { domain: { "ed25519:1": text } }],
    [
      "over what is no object",
      { signatures: { domain: ["x"], other: 1 } },
      { domain: { "ed25519:1": text }, other: 1 },
    ],
  ])("%s: %j", (_, object: JsonObject, signatures) => {
    const before = JSON.stringify(object);
    expect(withSignature({ a: 1, unsigned: { b: 2 }, ...object }, "domain", "ed25519:1", bytes)).toEqual({
      a: 1,
      unsigned: { b: 2 },
      signatures,
    });
    expect(JSON.stringify(object)).toBe(before);
  });

  it.each(["__proto__", "constructor", "toString"])("under %s as under any other name", (name) => {
    const object = withSignature(JSON.parse('{"__proto__":1}') as JsonObject, name, name, bytes);
    expect(JSON.stringify(object)).toBe(
      `{"__proto__":1,"signatures":{${JSON.stringify(name)}:{${JSON.stringify(name)}:"${text}"}}}`,
    );
  });
});

describe("checking for a signature", () => {
  const object = signed({ one: 1 });
  const signature = String(signatureOf(object));
  const carrying = (signatures: unknown): JsonObject => ({ one: 1, signatures });

  it("takes a good one, padded or not, whatever stands beside it", () => {
    const beside = { domain: { "ed25519:1": `${signature}==`, "ed25519:0": "x", "rsa:1": 1 }, other: null };
    expect(verifyJson(nodeCrypto, object, by)).toEqual(good);
    expect(verifyJson(nodeCrypto, { ...carrying(beside), unsigned: {} }, by)).toEqual(good);
  });

  it.each([
    ["no signatures", {}],
    ["signatures that are no object", carrying("x")],
    ["signatures in a list", carrying([{ domain: { "ed25519:1": signature } }])],
    ["no entry of the server", carrying({ Domain: { "ed25519:1": signature } })],
    ["an entry that is no object", carrying({ domain: signature })],
    ["another key's", carrying({ domain: { "ed25519:2": signature } })],
    ["one that is no text", carrying({ domain: { "ed25519:1": [signature] } })],
    ["an inherited one", carrying(Object.create({ domain: { "ed25519:1": signature } }))],
  ])("step 1: %s is no signature", (_, unsigned) => {
    expect(verifyJson(nodeCrypto, unsigned, by)).toEqual(none);
  });

  it.each(["rsa:1", "ED25519:1", "ed25519", ""])("step 2: a key %j is of no known algorithm", (keyId) => {
    const other = carrying({ domain: { [keyId]: signature } });
    expect(verifyJson(nodeCrypto, other, { ...by, keyId })).toEqual(none);
  });

  it.each([0, 31, 33])("step 3: a key of %i bytes is none", (length) => {
    expect(verifyJson(nodeCrypto, object, { ...by, publicKey: new Uint8Array(length) })).toEqual(bad);
  });

  it.each([
    "",
    "x",
    "not base64!",
    signature.slice(1),
    signature.slice(4),
    `${signature}AAAA`,
    `${signature} `,
  ])("step 4: %j is none that can be read", (text) => {
    expect(verifyJson(nodeCrypto, carrying({ domain: { "ed25519:1": text } }), by)).toEqual(bad);
  });

  it.each([
    ["changed", { one: 2 }],
    ["of another type", { one: "1" }],
    ["added", { two: null }],
  ])("step 7: a member %s spoils it", (_, change) => {
    expect(verifyJson(nodeCrypto, { ...object, ...change }, by)).toEqual(bad);
  });

  it("step 7: a member removed spoils it", () => {
    expect(verifyJson(nodeCrypto, { signatures: object["signatures"] }, by)).toEqual(bad);
  });

  it.each(["message", "signature", "key"] as const)("step 7: any bit of the %s spoils it", (where) => {
    fc.assert(
      fc.property(jsonObject, fc.nat(255), fc.nat(1e6), (plain, bit, at) => {
        const flip = (bytes: Uint8Array): Uint8Array =>
          bytes.map((byte, index) => (index === at % bytes.length ? byte ^ (1 << (bit & 7)) : byte));
        const whole = signed({ ...plain, bits: bit });
        const broken = {
          message: { ...whole, bits: bit ^ (1 << (at & 7)) },
          signature: withSignature(whole, "domain", "ed25519:1", flip(bytesOf(String(signatureOf(whole))))),
          key: whole,
        }[where];
        expect(verifyJson(nodeCrypto, whole, by)).toEqual(good);
        expect(
          verifyJson(nodeCrypto, broken, where === "key" ? { ...by, publicKey: flip(key.publicKey) } : by),
        ).toEqual(bad);
      }),
    );
  });
});

describe("what was signed verifies", () => {
  it("with any engine, and signed again by others", () => {
    fc.assert(
      fc.property(jsonObject, fc.string({ unit: "binary" }), fc.string(), (object, entity, id) => {
        const other = nodeSigningKey(`ed25519:${id}`, new Uint8Array(32).fill(9));
        const once = signed(object);
        const twice = signJson(once, entity, other);
        if (isLeft(twice)) throw new Error("It was signed before.");
        expect(
          verifyJson(nodeCrypto, twice.right, { entity, keyId: other.keyId, publicKey: other.publicKey }),
        ).toEqual(good);
        if (entity !== "domain" || id !== "1") expect(verifyJson(nodeCrypto, twice.right, by)).toEqual(good);
      }),
    );
  });

  it("over the JSON as plainly written", () => {
    fc.assert(
      fc.property(jsonObject, (object) => {
        const members = Object.entries(object).filter(
          ([name]) => name !== "signatures" && name !== "unsigned",
        );
        expect(textOf(signedBytes(object))).toBe(plainCanonical(Object.fromEntries(members)));
      }),
    );
  });
});

it("never throws", () => {
  const hostile = fc.dictionary(fc.constantFrom("signatures", "unsigned", "a", "__proto__"), anything);
  fc.assert(
    fc.property(hostile, fc.string(), fc.string(), fc.uint8Array(), (object, entity, keyId, publicKey) => {
      const asked = { entity, keyId: `ed25519:${keyId}`, publicKey };
      for (const result of [
        verifyJson(nodeCrypto, object, asked),
        verifyJson(nodeCrypto, object, by),
        signJson(object, entity, key),
      ])
        expect(["Left", "Right"]).toContain(result._tag);
    }),
  );
});

describe("crafted cases", () => {
  it.each(vectors("sign"))("$name", ({ seed: secret, publicKey, object, entity, keyId, expected }) => {
    const signer = nodeSigningKey(keyId, bytesOf(secret));
    expect(encodeBase64(signer.publicKey)).toBe(publicKey);
    expect(signJson(object, entity, signer)).toEqual(right(expected));
  });

  const cases = vectors("verify");

  it.each(cases.filter(({ clarity }) => clarity !== "unclear"))(
    "$name: $expected",
    ({ object, expected, publicKey, ...asked }) => {
      const result = verifyJson(nodeCrypto, object, { ...asked, publicKey: bytesOf(publicKey) });
      expect(isRight(result)).toBe(expected === "valid");
    },
  );

  it.each(cases.filter(({ clarity }) => clarity === "unclear"))(
    "$name: not decided, but answered",
    ({ object, publicKey, ...asked }) => {
      const result = verifyJson(nodeCrypto, object, { ...asked, publicKey: bytesOf(publicKey) });
      expect(["Left", "Right"]).toContain(result._tag);
    },
  );
});

describe("random cases", () => {
  const cases = vectors("signed");

  const signable = cases.filter(({ class: of }) => of === "official" || !of.includes("."));

  it.each(signable)(
    "$id, $class: signed exactly so",
    ({ value, server, keyId, seed: secret, signedValue }) => {
      const result = signJson(value, server, nodeSigningKey(keyId, bytesOf(secret)));
      expect(isRight(result) && plainCanonical(result.right)).toBe(plainCanonical(signedValue));
    },
  );

  // An odd signature is decided by our accept set; what else is undefined has to be answered only.
  const decided = cases.filter(
    ({ specUndefined, crypto }) => specUndefined === undefined || crypto !== undefined,
  );

  it.each(decided)(
    "$id, $class: verifies $verifies",
    ({ signedValue, server, keyId, publicKey, verifies, crypto }) => {
      for (const engine of [nodeCrypto, portableCrypto]) {
        const result = verifyJson(engine, signedValue, {
          entity: server,
          keyId,
          publicKey: bytesOf(publicKey),
        });
        expect(isRight(result)).toBe(crypto?.libsodium ?? verifies);
      }
    },
  );

  it.each(cases.filter((one) => !decided.includes(one)))(
    "$id, $class: not decided, but answered",
    ({ signedValue, server, keyId, publicKey }) => {
      const result = verifyJson(nodeCrypto, signedValue, {
        entity: server,
        keyId,
        publicKey: bytesOf(publicKey),
      });
      expect(["Left", "Right"]).toContain(result._tag);
    },
  );
});
