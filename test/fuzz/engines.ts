/** All engines say the same of crafted keys and signatures, and it is what libsodium says. */
import assert from "node:assert/strict";
import fc from "fast-check";
import sodium from "libsodium-wrappers";
import { proveInvite } from "matrix-third-party-invites/decisions";
import { type Verdict, authorize, roomVersionIds } from "matrix-third-party-invites/judge";
import { canonicalJson, decodeBase64, encodeBase64 } from "matrix-third-party-invites/matrix";
import { libsodiumCrypto } from "matrix-third-party-invites/libsodium";
import type { JsonObject } from "matrix-third-party-invites/ports";
import { nodeCrypto } from "matrix-third-party-invites/node";
import { portableCrypto } from "matrix-third-party-invites/portable";
import { bob, rightOf, room, token, versionOf } from "../invite/room.js";
import {
  type Scalars,
  add,
  base,
  challenge,
  concatenate,
  encode,
  equal,
  forge,
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
import { cases, stateOf } from "./cases.js";
import type { FuzzProperty } from "./property.js";

await sodium.ready;

const engines = [nodeCrypto, libsodiumCrypto(sodium), portableCrypto];

/** A key and a signature, as bytes, for one message. */
interface Attempt {
  readonly key: Uint8Array;
  readonly signature: Uint8Array;
}

const nonceOf = ({ signature }: Attempt): Uint8Array => signature.slice(0, 32);
const scalarOf = ({ signature }: Attempt): bigint => fromBytes(signature.slice(32));

type Craft = (message: Uint8Array, secret: Scalars, pick: number) => Attempt;

const honest: Craft = (message, secret) =>
  forge(message, secret, multiply(secret.a, base), multiply(secret.r, base));

const picked = <A>(items: readonly A[], pick: number): A => {
  const item = items[pick % items.length];
  assert.ok(item !== undefined, "There is something to pick from.");
  return item;
};

/** Not reduced, or no point at all. */
const badEncodings = [...unreducedEncodings, new Uint8Array(32).fill(0xff), toBytes(2n)];

const flipped = (bytes: Uint8Array, at: number): Uint8Array =>
  bytes.map((byte, index) => (index === (at >> 3) % bytes.length ? byte ^ (1 << (at & 7)) : byte));

/** The ways in which engines and libraries are known to differ, and honest signatures among them. */
const crafts: Readonly<Record<string, Craft>> = {
  honest,
  "S + kL": (message, secret, pick) => {
    const attempt = honest(message, secret, pick);
    const s = scalarOf(attempt) + BigInt(1 + (pick % 14)) * order;
    return { ...attempt, signature: concatenate(nonceOf(attempt), toBytes(s)) };
  },
  // With a key of order n, S = r holds for one message in n.
  "a key of small order, S = r": (_message, { r }, pick) => ({
    key: picked(smallOrderEncodings, pick),
    signature: concatenate(encode(multiply(r, base)), toBytes(r)),
  }),
  "a key of small order, R the identity, S = 0": (_message, _secret, pick) => ({
    key: picked(smallOrderEncodings, pick),
    signature: concatenate(encode(identity), new Uint8Array(32)),
  }),
  "an R of small order, S = h·a": (message, { a }, pick) => {
    const [key, nonce] = [encode(multiply(a, base)), picked(smallOrderEncodings, pick)];
    return {
      key,
      signature: concatenate(nonce, toBytes(modulo(challenge(nonce, key, message) * a, order))),
    };
  },
  "an R of small order that a key of mixed order may make up for": (message, { a }, pick) =>
    forge(
      message,
      { a, r: 0n },
      add(multiply(a, base), picked(torsion, 1 + (pick % 7))),
      picked(torsion, pick >> 3),
    ),
  "a key that is not reduced or no point": (message, secret, pick) => ({
    ...honest(message, secret, pick),
    key: picked(badEncodings, pick),
  }),
  "an R that is not reduced or no point": (message, secret, pick) => {
    const attempt = honest(message, secret, pick);
    const nonce = picked(badEncodings, pick);
    return { ...attempt, signature: concatenate(nonce, attempt.signature.slice(32)) };
  },
  "a key of mixed order": (message, secret, pick) =>
    forge(message, secret, add(multiply(secret.a, base), picked(torsion, pick)), multiply(secret.r, base)),
  // That the equation holds without the cofactor happens by chance once in eight; here it always does.
  "a key of mixed order, where the equation holds": (message, secret, pick) => {
    const small = picked(torsion, pick);
    const key = add(multiply(secret.a, base), small);
    for (let { r } = secret; ; r += 1n) {
      const attempt = forge(message, { ...secret, r }, key, multiply(r, base));
      const h = challenge(nonceOf(attempt), attempt.key, message);
      if (equal(multiply(h % 8n, small), identity)) return attempt;
    }
  },
  "a key and an R of mixed order": (message, secret, pick) =>
    forge(
      message,
      secret,
      add(multiply(secret.a, base), picked(torsion, pick)),
      add(multiply(secret.r, base), picked(torsion, pick >> 3)),
    ),
  "a bit of the signature turned": (message, secret, pick) => {
    const attempt = honest(message, secret, pick);
    return { ...attempt, signature: flipped(attempt.signature, pick) };
  },
  "a bit of the key turned": (message, secret, pick) => {
    const attempt = honest(message, secret, pick);
    return { ...attempt, key: flipped(attempt.key, pick) };
  },
  "of another message": (message, secret, pick) => honest(concatenate(message, message), secret, pick),
};

const scalars = fc.bigInt({ min: 1n, max: order >> 1n });
const secrets: fc.Arbitrary<Scalars> = fc.record({ a: scalars, r: scalars });

const payload: JsonObject = { mxid: bob, token, sender: "@alice:one.example" };
const message = new TextEncoder().encode(rightOf(canonicalJson(payload)));

const attempts: fc.Arbitrary<Attempt> = fc
  .tuple(fc.constantFrom(...Object.values(crafts)), secrets, fc.nat(511))
  .map(([craft, secret, pick]) => craft(message, secret, pick));

const versions = fc.constantFrom(...roomVersionIds);

interface Crafted {
  readonly signed: JsonObject;
  readonly content: JsonObject;
}

/** A proof and an invite that hold these signatures and keys. */
const crafted = (all: readonly Attempt[]): Crafted => ({
  signed: {
    ...payload,
    signatures: {
      s: Object.fromEntries(
        all.map(({ signature }, i): [string, string] => [`ed25519:${i}`, encodeBase64(signature)]),
      ),
    },
  },
  content: { public_keys: all.map(({ key }): unknown => ({ public_key: encodeBase64(key) })) },
});

const judgements = ({ signed, content }: Crafted, id: string): readonly Verdict["_tag"][] => {
  const made = room(id, { invite: content });
  const event = made.redeemed({ signed });
  return engines.map((engine) => authorize(event, made.state, engine)._tag);
};

const oddVectors = vectors("ed25519-odd");

export const engineProperties: readonly FuzzProperty[] = [
  {
    name: "all engines judge a crafted proof as libsodium would",
    cost: 18,
    share: 80,
    property: fc.property(fc.array(attempts, { minLength: 1, maxLength: 2 }), versions, (all, id) => {
      const good = all.some(({ key }) =>
        all.some(({ signature }) => libsodiumAccepts(key, message, signature)),
      );
      const verdict = good ? "Allow" : "Reject";
      assert.deepEqual(new Set(judgements(crafted(all), id)), new Set([verdict]));
    }),
  },
  {
    name: "all engines judge any bytes alike",
    cost: 9,
    share: 12,
    property: fc.property(
      fc.uint8Array({ minLength: 32, maxLength: 32 }),
      fc.uint8Array({ minLength: 64, maxLength: 64 }),
      // Below L, so that the precheck lets most of them pass.
      fc.nat(15),
      (key, bytes, top) => {
        const signature = bytes.map((byte, at) => (at === 63 ? top : byte));
        assert.deepEqual(new Set(judgements(crafted([{ key, signature }]), "10")), new Set(["Reject"]));
      },
    ),
  },
  {
    name: "all engines judge generated events alike",
    cost: 6,
    share: 12,
    property: fc.property(cases, (one) => {
      const [first, ...others] = engines.map((engine) => authorize(one.event, stateOf(one), engine));
      for (const other of others) assert.deepEqual(other, first);
    }),
  },
  {
    name: "all engines find the same proof in crafted cases of record, changed or not",
    cost: 6,
    share: 12,
    property: fc.property(
      fc.constantFrom(...oddVectors),
      fc.option(fc.nat(767), { nil: undefined }),
      versions,
      (vector, bit, id) => {
        const key = decodeBase64(vector.publicKey) ?? new Uint8Array();
        const signature = decodeBase64(vector.signature) ?? new Uint8Array();
        const turned = {
          key: bit === undefined || bit < 512 ? key : flipped(key, bit - 512),
          signature: bit === undefined || bit >= 512 ? signature : flipped(signature, bit),
        };
        const { signed, content } = crafted([turned]);
        const proof = { ...vector.message, signatures: signed["signatures"] };
        const bytes = new TextEncoder().encode(rightOf(canonicalJson(vector.message)));
        const tag = libsodiumAccepts(turned.key, bytes, turned.signature) ? "Proven" : "NotProven";
        if (bit === undefined) assert.equal(tag === "Proven", vector.crypto.libsodium);
        for (const engine of engines)
          assert.equal(proveInvite({ crypto: engine, version: versionOf(id) }, proof, content)._tag, tag);
      },
    ),
  },
];
