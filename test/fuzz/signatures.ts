/** What was signed verifies, with either engine, and nothing else does. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { roomVersionIds } from "matrix-third-party-invites/judge";
import {
  contentHashMatches,
  decodeBase64,
  encodeBase64,
  eventId,
  hashAndSignPdu,
  isJsonObject,
  member,
  redact,
  signJson,
  stringMember,
  verifyJson,
  verifyPdu,
} from "matrix-third-party-invites/matrix";
import type { CryptoEngine, JsonObject, SigningKey } from "matrix-third-party-invites/ports";
import { nodeCrypto, nodeSigningKey } from "matrix-third-party-invites/node";
import { portableCrypto, portableSigningKey } from "matrix-third-party-invites/portable";
import { rightOf, versionOf } from "../invite/room.js";
import { json, jsonObject, plainCanonical } from "../matrix/arbitrary-json.js";
import { hostileTexts } from "./hostile.js";
import type { FuzzProperty } from "./property.js";
import { pdus } from "./redaction.js";

interface Engine {
  readonly name: string;
  readonly crypto: CryptoEngine;
  readonly signingKey: (keyId: string, seed: Uint8Array) => SigningKey;
  /** How much longer it takes than the fast one. */
  readonly slowness: number;
}

const engines: readonly Engine[] = [
  { name: "node", crypto: nodeCrypto, signingKey: nodeSigningKey, slowness: 1 },
  { name: "portable", crypto: portableCrypto, signingKey: portableSigningKey, slowness: 50 },
];

const flipped = (bytes: Uint8Array, at: number): Uint8Array =>
  bytes.map((byte, index) => (index === (at >> 3) % bytes.length ? byte ^ (1 << (at & 7)) : byte));

/** Something else in one place, at any depth: whatever stands there is wrapped, goes, or gets company. */
const changed = (value: JsonObject, path: readonly number[], how: number): JsonObject => {
  const entries = Object.entries(value);
  const [pick = 0, ...rest] = path;
  const [name, inner] = entries[pick % Math.max(1, entries.length)] ?? ["", undefined];
  if (rest.length > 0 && isJsonObject(inner))
    return Object.fromEntries([...entries, [name, changed(inner, rest, how)]]);
  if (entries.length === 0 || how === 0) return Object.fromEntries([...entries, [freshName(value), how]]);
  return Object.fromEntries(
    how === 1 ? entries.filter(([other]) => other !== name) : [...entries, [name, [inner]]],
  );
};

const freshName = (value: JsonObject): string => {
  let name = "new";
  while (Object.hasOwn(value, name)) name += "er";
  return name;
};

const paths = fc.array(fc.nat(9), { minLength: 1, maxLength: 4 });
const ways = fc.nat(2);
const seeds = fc.uint8Array({ minLength: 32, maxLength: 32 });
const keyIds = fc.string({ unit: "binary", maxLength: 6 }).map((id) => `ed25519:${id}`);
const entities = hostileTexts("one.example").filter((text) => text.length < 100 && text.isWellFormed());

const withText = (object: JsonObject, entity: string, keyId: string, bytes: Uint8Array): JsonObject => ({
  ...object,
  signatures: { [entity]: { [keyId]: encodeBase64(bytes) } },
});

const bytesOfSignature = (object: JsonObject, entity: string, keyId: string): Uint8Array => {
  const text = stringMember(member(member(object, "signatures"), entity), keyId);
  return (text === undefined ? undefined : decodeBase64(text)) ?? new Uint8Array();
};

const uncovered: ReadonlySet<string> = new Set(["signatures", "unsigned"]);
const covered = (object: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries(object).filter(([name]) => !uncovered.has(name)));

const jsonIsSigned = ({ name, crypto, signingKey, slowness }: Engine): FuzzProperty => ({
  name: `signed JSON verifies, and with anything changed it does not (${name})`,
  cost: slowness,
  share: 12,
  property: fc.property(
    fc.record({ object: jsonObject, entity: entities, keyId: keyIds, seed: seeds, unsigned: json }),
    fc.record({ bit: fc.nat(511), path: paths, how: ways }),
    ({ object, entity, keyId, seed, unsigned }, { bit, path, how }) => {
      const key = signingKey(keyId, seed);
      const by = { entity, keyId, publicKey: key.publicKey };
      const whole = rightOf(signJson(object, entity, key));
      const holds = (one: JsonObject, asked = by): boolean => {
        const verdict = verifyJson(crypto, one, asked);
        assert.ok(verdict._tag === "Right" || verdict.left._tag !== "NotCanonicalJson");
        return verdict._tag === "Right";
      };
      assert.ok(holds(whole), "What was signed verifies.");
      assert.ok(holds({ ...whole, unsigned }), "Unsigned has no say.");
      const plain = covered(object);
      const other = changed(plain, path, how);
      assert.notEqual(plainCanonical(other), plainCanonical(plain));
      const signature = bytesOfSignature(whole, entity, keyId);
      const broken: readonly [string, boolean][] = [
        ["a member changed", holds({ ...covered(other), signatures: whole["signatures"] })],
        ["a bit of the signature", holds(withText(whole, entity, keyId, flipped(signature, bit)))],
        ["a bit of the key", holds(whole, { ...by, publicKey: flipped(key.publicKey, bit) })],
        ["another entity", holds(whole, { ...by, entity: `${entity}x` })],
        ["another key ID", holds(whole, { ...by, keyId: `${keyId}x` })],
      ];
      // An entity or key ID that somebody else's signature stands under is none of ours either.
      assert.deepEqual(
        broken.filter(([, verdict]) => verdict),
        [],
      );
    },
  ),
});

const pduIsSigned = ({ name, crypto, signingKey, slowness }: Engine): FuzzProperty => ({
  name: `a signed event verifies in its version, and with anything changed it does not (${name})`,
  cost: 1.5 * slowness,
  share: 12,
  property: fc.property(
    fc.record({ event: pdus, id: fc.constantFrom(...roomVersionIds), seed: seeds, unsigned: json }),
    fc.record({ bit: fc.nat(511), path: paths, how: ways }),
    ({ event, id, seed, unsigned }, { bit, path, how }) => {
      const version = versionOf(id);
      const key = signingKey("ed25519:1", seed);
      const by = { entity: "one.example", keyId: key.keyId, publicKey: key.publicKey };
      const made = hashAndSignPdu(crypto, event, version, { serverName: by.entity, key });
      if (made._tag === "Left") {
        // Versions 1 and 2: an event without its own ID.
        assert.equal(made.left._tag, "NoEventId");
        return;
      }
      const whole = made.right.pdu;
      const holds = (one: JsonObject, asked = by): boolean =>
        verifyPdu(crypto, one, version, asked)._tag === "Right";
      const idOf = (one: JsonObject): unknown => rightOf(eventId(crypto, one, version));
      assert.ok(holds(whole), "What was signed verifies.");
      assert.ok(contentHashMatches(crypto, whole, version), "The hash is of the content.");
      const aside = { ...whole, unsigned };
      assert.ok(holds(aside) && contentHashMatches(crypto, aside, version), "Unsigned has no say.");
      assert.equal(idOf(aside), made.right.eventId);

      const signature = bytesOfSignature(whole, by.entity, by.keyId);
      assert.ok(
        !holds(withText(whole, by.entity, by.keyId, flipped(signature, bit))),
        "A bit of the signature",
      );
      assert.ok(!holds(whole, { ...by, publicKey: flipped(key.publicKey, bit) }), "A bit of the key");

      // A change anywhere spoils the hash; where redaction keeps the place, the signature and the ID as well.
      const { signatures, hashes, unsigned: _, event_id: own, ...hashed } = whole;
      const local = own === undefined ? {} : { event_id: own };
      const other = { ...changed(hashed, path, how), ...local, hashes, signatures };
      const kept = ({ event_id, signatures: __, ...rest }: JsonObject): string =>
        plainCanonical({ ...rest, ...(version.eventId === "field" ? { event_id } : {}) });
      const isKept = kept(redact(other, version)) === kept(redact(whole, version));
      assert.ok(!contentHashMatches(crypto, other, version), "A change spoils the hash.");
      assert.equal(holds(other), isKept, "The signature is over what redaction keeps.");
      if (version.eventId !== "field") assert.equal(idOf(other) === made.right.eventId, isKept);
    },
  ),
});

export const signatureProperties: readonly FuzzProperty[] = engines.flatMap((engine) => [
  jsonIsSigned(engine),
  pduIsSigned(engine),
]);
