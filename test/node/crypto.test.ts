import { expect, it } from "vitest";
import { encodeUtf8 } from "../../src/matrix/utf8.js";
import { nodeCrypto, nodeSigningKey } from "../../src/node/crypto.js";

const seed = (number: number): Uint8Array => {
  const bytes = new Uint8Array(32);
  new DataView(bytes.buffer).setUint32(0, number);
  return bytes;
};

it("keeps keys apart, more of them than its cache holds", () => {
  const message = encodeUtf8("message");
  const keys = Array.from({ length: 600 }, (_, number) => nodeSigningKey("ed25519:1", seed(number)));
  const signatures = keys.map((key) => key.sign(message));
  const verified = (shift: number): number =>
    keys.filter((key, at) => {
      const signature = signatures[(at + shift) % keys.length] ?? new Uint8Array(64);
      return nodeCrypto.verify(key.publicKey, message, signature);
    }).length;
  expect([verified(0), verified(0), verified(1)]).toEqual([600, 600, 0]);
});

it("a key is known by its bytes, not by the array that holds them", () => {
  const [one, other] = [nodeSigningKey("ed25519:1", seed(1)), nodeSigningKey("ed25519:1", seed(2))];
  const message = encodeUtf8("message");
  const array = one.publicKey.slice();
  expect(nodeCrypto.verify(array, message, one.sign(message))).toBe(true);
  array.set(other.publicKey);
  expect(nodeCrypto.verify(array, message, one.sign(message))).toBe(false);
  expect(nodeCrypto.verify(array, message, other.sign(message))).toBe(true);
});
