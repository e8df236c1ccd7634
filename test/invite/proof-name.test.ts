import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
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
    .map((more) => ({ ...more, ...signed }));
  fc.assert(
    fc.property(json, json, (one, other) => {
      // Fractions, halves of surrogate pairs: no canonical form, and nothing is proven by them.
      const [a, b] = [nameOf(one), nameOf(other)];
      expect(a === b && a !== "").toBe(a !== "" && isDeepStrictEqual(sorted(one), sorted(other)));
    }),
  );
});

const sorted = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

test("what has no canonical form shares a name that is nobody's: it proves nothing", () => {
  expect(nameOf({ ...signed, half: "\ud800" })).toBe("");
});
