import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { isRight } from "fp-ts/lib/Either.js";
import { expect, test } from "vitest";
import { proofName } from "../../src/invite/proof-name.js";
import { parseSigned } from "../../src/invite/signed.js";
import type { JsonObject } from "../../src/matrix/json.js";
import { nodeCrypto } from "../../src/node/crypto.js";
import { portableCrypto } from "../../src/portable/crypto.js";
import { alice, bob, carol, rightOf, signed } from "./room.js";

const nameOf = (json: JsonObject, sender = alice, crypto = nodeCrypto): string =>
  proofName(crypto, { sender, signed: rightOf(parseSigned(json)) });

test("a proof has one name, whatever the engine and the order of its members", () => {
  const turned = Object.fromEntries(Object.entries(signed).reverse());
  expect(nameOf(turned)).toBe(nameOf(signed));
  expect(nameOf(signed, alice, portableCrypto)).toBe(nameOf(signed));
  expect(nameOf(signed)).toMatch(/^[0-9A-Za-z_-]{43}$/);
});

test("another sender, another signature, another member: another name", () => {
  const names = [
    nameOf(signed),
    nameOf(signed, bob),
    nameOf(signed, carol),
    nameOf({ ...signed, signatures: {} }),
    nameOf({ ...signed, more: 1 }),
    nameOf({ ...signed, unsigned: {} }),
  ];
  expect(new Set(names).size).toBe(names.length);
});

test("two proofs have the same name only if they are the same", () => {
  const json = fc
    .dictionary(fc.string(), fc.jsonValue({ maxDepth: 2 }))
    .map((more) => ({ ...more, ...signed }))
    // Halves of surrogate pairs have no canonical form.
    .filter((value) => isRight(parseSigned(value)));
  fc.assert(
    fc.property(json, json, (one, other) => {
      expect(nameOf(one) === nameOf(other)).toBe(isDeepStrictEqual(sorted(one), sorted(other)));
    }),
  );
});

const sorted = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
