import fc from "fast-check";
import sodium from "libsodium-wrappers";
import { describe, expect, it } from "vitest";
import { type Libsodium, libsodiumCrypto, libsodiumSigningKey } from "../../src/libsodium/crypto.js";
import { decodeBase64 } from "../../src/matrix/base64.js";
import type { CryptoEngine } from "../../src/matrix/crypto-engine.js";
import { publicKeyBytes, signatureBytes, verifySignature } from "../../src/matrix/ed25519.js";
import { encodeUtf8 } from "../../src/matrix/utf8.js";
import { nodeCrypto, nodeSigningKey } from "../../src/node/crypto.js";
import { portableCrypto, portableSigningKey } from "../../src/portable/crypto.js";
import { plainCanonical } from "../matrix/arbitrary-json.js";
import {
  type Point,
  type Scalars,
  add,
  base,
  challenge,
  concatenate,
  encode,
  equal,
  forge as forgeOver,
  fromBytes,
  identity,
  libsodiumAccepts,
  modulo,
  multiply,
  order,
  smallOrderEncodings,
  toBytes,
  torsion,
  unreducedEncodings,
} from "../matrix/edwards25519.js";
import { vectors } from "../matrix/vectors.js";

await sodium.ready;

const engines: readonly (readonly [string, CryptoEngine])[] = [
  ["nodeCrypto", nodeCrypto],
  ["libsodiumCrypto", libsodiumCrypto(sodium)],
  ["portableCrypto", portableCrypto],
];

const makers: readonly (readonly [string, typeof nodeSigningKey])[] = [
  ["nodeSigningKey", nodeSigningKey],
  ["libsodiumSigningKey", (keyId, secret) => libsodiumSigningKey(sodium, keyId, secret)],
  ["portableSigningKey", portableSigningKey],
];

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const unhex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "hex"));
const base64 = (text: string): Uint8Array => decodeBase64(text) ?? new Uint8Array();

interface Attempt {
  readonly key: Uint8Array;
  readonly message: Uint8Array;
  readonly signature: Uint8Array;
}

/** How the library asks: the precheck, then the engine. */
const accepts = (engine: CryptoEngine, attempt: Attempt): boolean => {
  const key = publicKeyBytes(attempt.key);
  const signature = signatureBytes(attempt.signature);
  return (
    key !== undefined && signature !== undefined && verifySignature(engine, key, attempt.message, signature)
  );
};

/** What node:crypto, libsodium, tweetnacl and the definition of libsodium's accept set say. */
const verdicts = (attempt: Attempt): readonly boolean[] => [
  ...engines.map(([, engine]) => accepts(engine, attempt)),
  libsodiumAccepts(attempt.key, attempt.message, attempt.signature),
];

const all = (verdict: boolean): readonly boolean[] =>
  Array.from({ length: engines.length + 1 }, () => verdict);

describe("published values", () => {
  // RFC 8032, section 7.1, tests 1 to 3.
  const rfc8032 = [
    [
      "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
      "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
      "",
      "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ],
    [
      "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
      "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
      "72",
      "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ],
    [
      "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
      "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
      "af82",
      "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ],
  ] as const;

  describe.each(makers)("RFC 8032: %s", (_, signingKey) => {
    it.each(rfc8032)("seed %s", (seed, publicKey, message, signature) => {
      const key = signingKey("ed25519:1", unhex(seed));
      expect([key.keyId, hex(key.publicKey)]).toEqual(["ed25519:1", publicKey]);
      expect(hex(key.sign(unhex(message)))).toBe(signature);
      expect(
        verdicts({ key: unhex(publicKey), message: unhex(message), signature: unhex(signature) }),
      ).toEqual(all(true));
    });
  });

  describe.each(engines)("%s", (_, { sha256, hmacSha256 }) => {
    it.each([
      ["", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"],
      ["abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"],
    ])("FIPS 180: SHA-256 of %j", (text, digest) => {
      expect(hex(sha256(encodeUtf8(text)))).toBe(digest);
    });

    it.each([
      [
        "0b".repeat(20),
        hex(encodeUtf8("Hi There")),
        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
      ],
      [
        hex(encodeUtf8("Jefe")),
        hex(encodeUtf8("what do ya want for nothing?")),
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
      ],
      [
        "aa".repeat(131),
        hex(encodeUtf8("Test Using Larger Than Block-Size Key - Hash Key First")),
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
      ],
    ])("RFC 4231: HMAC-SHA-256 under %s", (key, data, digest) => {
      expect(hex(hmacSha256(unhex(key), unhex(data)))).toBe(digest);
    });
  });
});

const bytes = fc.uint8Array({ maxLength: 300 });
const seed = fc.uint8Array({ minLength: 32, maxLength: 32 });

describe("all engines do the same", () => {
  it("hashes", () => {
    fc.assert(
      fc.property(bytes, bytes, (key, data) => {
        for (const [, { sha256, hmacSha256 }] of engines) {
          expect(hex(sha256(data))).toBe(hex(nodeCrypto.sha256(data)));
          expect(hex(hmacSha256(key, data))).toBe(hex(nodeCrypto.hmacSha256(key, data)));
        }
      }),
    );
  });

  it("signatures, and each takes the others'", () => {
    fc.assert(
      fc.property(seed, bytes, (secret, message) => {
        const one = nodeSigningKey("ed25519:a", secret);
        const signature = one.sign(message);
        expect(signature).toHaveLength(64);
        for (const [, signingKey] of makers) {
          const other = signingKey("ed25519:a", secret);
          expect(hex(other.publicKey)).toBe(hex(one.publicKey));
          expect(hex(other.sign(message))).toBe(hex(signature));
        }
        for (const [, engine] of engines)
          expect(accepts(engine, { key: one.publicKey, message, signature })).toBe(true);
      }),
      { numRuns: 30 },
    );
  });

  it("nothing that depends on where in a buffer the bytes lie", () => {
    const key = nodeSigningKey("ed25519:1", new Uint8Array(32).fill(1));
    const message = encodeUtf8("message");
    const room = Buffer.concat([Buffer.alloc(3, 0xff), key.publicKey, message, key.sign(message)]);
    const within: Attempt = {
      key: room.subarray(3, 35),
      message: room.subarray(35, 42),
      signature: room.subarray(42),
    };
    expect(verdicts(within)).toEqual(all(true));
  });
});

interface Secret extends Scalars {
  readonly message: Uint8Array;
}

const scalar = fc.bigInt({ min: 1n, max: order - 1n });
const secrets: fc.Arbitrary<Secret> = fc.record({
  a: scalar,
  // Low, so that counting up from it never comes by zero.
  r: fc.bigInt({ min: 1n, max: order >> 1n }),
  message: fc.uint8Array({ maxLength: 40 }),
});

const forge = (secret: Secret, keyPoint: Point, noncePoint: Point): Attempt => ({
  message: secret.message,
  ...forgeOver(secret.message, secret, keyPoint, noncePoint),
});

const keyOf = ({ a }: Secret): Point => multiply(a, base);
const nonceOf = ({ r }: Secret): Point => multiply(r, base);
const honest = (secret: Secret): Attempt => forge(secret, keyOf(secret), nonceOf(secret));

const challengeOf = ({ key, message, signature }: Attempt): bigint =>
  challenge(signature.slice(0, 32), key, message);
const scalarOf = ({ signature }: Attempt): bigint => fromBytes(signature.slice(32));
const withScalar = (attempt: Attempt, s: bigint): Attempt => ({
  ...attempt,
  signature: concatenate(attempt.signature.slice(0, 32), toBytes(s)),
});

const flipped = (input: Uint8Array, bit: number): Uint8Array =>
  input.map((value, at) => (at === bit >> 3 ? value ^ (1 << (bit & 7)) : value));

describe("honest signatures", () => {
  it("are accepted", () => {
    fc.assert(
      fc.property(secrets, (secret) => {
        expect(verdicts(honest(secret))).toEqual(all(true));
      }),
      { numRuns: 30 },
    );
  });

  it.each([
    ["the key", 256, (attempt: Attempt, bit: number) => ({ ...attempt, key: flipped(attempt.key, bit) })],
    [
      "R",
      256,
      (attempt: Attempt, bit: number) => ({ ...attempt, signature: flipped(attempt.signature, bit) }),
    ],
    [
      "S",
      256,
      (attempt: Attempt, bit: number) => ({ ...attempt, signature: flipped(attempt.signature, 256 + bit) }),
    ],
    [
      "the message",
      64,
      (attempt: Attempt, bit: number) => ({ ...attempt, message: flipped(attempt.message, bit) }),
    ],
  ])("are refused with any bit of %s turned", (_, bits, turn) => {
    const attempt = honest({ a: 12345n, r: 67890n, message: encodeUtf8("8 bytes.") });
    // Every bit with the fast engine, a sample with all.
    const accepted = Array.from({ length: bits }, (_, bit) => turn(attempt, bit)).filter((other) =>
      accepts(nodeCrypto, other),
    );
    expect(accepted).toEqual([]);
    fc.assert(
      fc.property(secrets, fc.nat(bits - 1), (secret, bit) => {
        const message = concatenate(secret.message, new Uint8Array(8));
        expect(verdicts(turn(honest({ ...secret, message }), bit))).toEqual(all(false));
      }),
      { numRuns: 20 },
    );
  });

  it.each([
    ["a key without its last byte", (attempt: Attempt) => ({ ...attempt, key: attempt.key.slice(0, 31) })],
    [
      "a key with one byte more",
      (attempt: Attempt) => ({ ...attempt, key: concatenate(attempt.key, Uint8Array.of(0)) }),
    ],
    ["no key", (attempt: Attempt) => ({ ...attempt, key: new Uint8Array() })],
    [
      "a signature without its last byte",
      (attempt: Attempt) => ({ ...attempt, signature: attempt.signature.slice(0, 63) }),
    ],
    [
      "a signature with one byte more",
      (attempt: Attempt) => ({ ...attempt, signature: concatenate(attempt.signature, Uint8Array.of(0)) }),
    ],
    ["R alone", (attempt: Attempt) => ({ ...attempt, signature: attempt.signature.slice(0, 32) })],
    ["no signature", (attempt: Attempt) => ({ ...attempt, signature: new Uint8Array() })],
  ])("are refused with %s", (_, cut) => {
    expect(verdicts(cut(honest({ a: 5n, r: 7n, message: new Uint8Array(3) })))).toEqual(all(false));
  });

  it("are refused with S + kL for S, which is the same signature to tweetnacl alone", () => {
    fc.assert(
      fc.property(secrets, fc.bigInt({ min: 1n, max: 15n }), (secret, k) => {
        const attempt = honest(secret);
        const s = scalarOf(attempt) + k * order;
        fc.pre(s < 2n ** 256n);
        expect(verdicts(withScalar(attempt, s))).toEqual(all(false));
      }),
      { numRuns: 30 },
    );
  });
});

describe("keys and R of small order are refused in all their spellings", () => {
  it.each(smallOrderEncodings.map(hex))("%s", (spelling) => {
    const weak = unhex(spelling);
    const secret = { a: 11n, r: 13n, message: encodeUtf8("anything") };
    const { signature } = honest(secret);
    // With a weak key S = r holds for one message in eight; with a weak R, S = h·a.
    const weakKeys = Array.from({ length: 8 }, (_, n): Attempt => {
      const nonce = encode(nonceOf(secret));
      return { key: weak, message: Uint8Array.of(n), signature: concatenate(nonce, toBytes(secret.r)) };
    });
    const key = encode(keyOf(secret));
    const s = modulo(challenge(weak, key, secret.message) * secret.a, order);
    const attempts: readonly Attempt[] = [
      ...weakKeys,
      { key: weak, message: secret.message, signature },
      { key: weak, message: secret.message, signature: concatenate(weak, new Uint8Array(32)) },
      { key: weak, message: secret.message, signature: concatenate(encode(identity), new Uint8Array(32)) },
      { key, message: secret.message, signature: concatenate(weak, toBytes(s)) },
    ];
    for (const attempt of attempts) expect(verdicts(attempt)).toEqual(all(false));
  });
});

it.each(unreducedEncodings.map(hex))("a key or R whose y is not reduced is refused: %s", (spelling) => {
  const odd = unhex(spelling);
  const { key, message, signature } = honest({ a: 3n, r: 5n, message: new Uint8Array(1) });
  expect(verdicts({ key: odd, message, signature })).toEqual(all(false));
  expect(verdicts({ key, message, signature: concatenate(odd, signature.slice(32)) })).toEqual(all(false));
});

it("32 bytes that are no point are refused as a key and as R", () => {
  const { key, message, signature } = honest({ a: 3n, r: 5n, message: new Uint8Array(1) });
  for (const y of [2n, 5n, 2n ** 255n + 2n]) {
    expect(verdicts({ key: toBytes(y), message, signature })).toEqual(all(false));
    expect(verdicts({ key, message, signature: concatenate(toBytes(y), signature.slice(32)) })).toEqual(
      all(false),
    );
  }
});

describe("points of mixed order: a point of the group and one of small order", () => {
  /** Forges with the first nonce from `r` on of which the wanted thing holds; that is one in eight at worst. */
  const search = (secret: Secret, key: Point, shift: Point, wanted: (h: bigint) => boolean): Attempt => {
    for (let { r } = secret; ; r += 1n) {
      const attempt = forge({ ...secret, r }, key, add(multiply(r, base), shift));
      if (wanted(challengeOf(attempt))) return attempt;
    }
  };

  const cases = torsion.slice(1).map((small, at) => [at + 1, small] as const);

  it.each(cases)("a key off by %iT is good where the equation holds without the cofactor", (_, small) => {
    fc.assert(
      fc.property(secrets, (secret) => {
        const key = add(keyOf(secret), small);
        const vanishes = (h: bigint): boolean => equal(multiply(h % 8n, small), identity);
        expect(verdicts(search(secret, key, identity, vanishes))).toEqual(all(true));
        expect(verdicts(search(secret, key, identity, (h) => !vanishes(h)))).toEqual(all(false));
      }),
      { numRuns: 3 },
    );
  });

  it.each(cases)(
    "R off by %iT is good with a key off by what makes up for it, and with no other",
    (_, small) => {
      fc.assert(
        fc.property(secrets, (secret) => {
          expect(verdicts(forge(secret, keyOf(secret), add(nonceOf(secret), small)))).toEqual(all(false));
          const mixed = torsion[1] ?? identity;
          const key = add(keyOf(secret), mixed);
          const madeUp = (h: bigint): boolean => equal(add(small, multiply(h % 8n, mixed)), identity);
          expect(verdicts(search(secret, key, small, madeUp))).toEqual(all(true));
          expect(verdicts(search(secret, key, small, (h) => !madeUp(h)))).toEqual(all(false));
        }),
        { numRuns: 3 },
      );
    },
  );
});

it("any bytes get one verdict", () => {
  const key = fc.oneof(seed, fc.constantFrom(...smallOrderEncodings, ...unreducedEncodings, encode(base)));
  fc.assert(
    fc.property(
      key,
      key,
      fc.oneof(scalar, fc.bigInt({ min: 0n, max: 2n ** 256n - 1n })),
      bytes,
      (a, nonce, s, message) => {
        const [one, ...others] = verdicts({ key: a, message, signature: concatenate(nonce, toBytes(s)) });
        expect(new Set(others)).toEqual(new Set([one]));
      },
    ),
  );
});

it.each(makers)("%s takes a seed of 32 bytes, and of no other length", (_, make) => {
  for (const length of [0, 31, 33, 43, 64])
    expect(() => make("ed25519:1", new Uint8Array(length)), String(length)).toThrow();
});

it("a libsodium that is not ready makes no engine", () => {
  const unready = {} as Libsodium;
  for (const make of [
    () => libsodiumCrypto(unready),
    () => libsodiumSigningKey(unready, "ed25519:1", new Uint8Array(32)),
  ])
    expect(make).toThrow("libsodium is not ready: await its ready first.");
});

describe("crafted cases", () => {
  it.each(vectors("ed25519"))("$name: $expected", ({ publicKeyHex, messageHex, signatureHex, expected }) => {
    const attempt = { key: unhex(publicKeyHex), message: unhex(messageHex), signature: unhex(signatureHex) };
    expect(verdicts(attempt)).toEqual(all(expected === "valid"));
  });

  it.each(vectors("ed25519-odd"))("$id, $name", ({ publicKey, message, signature, crypto }) => {
    const attempt = {
      key: base64(publicKey),
      message: encodeUtf8(plainCanonical(message)),
      signature: base64(signature),
    };
    expect(verdicts(attempt)).toEqual(all(crypto.libsodium));
  });
});
