import { describe, expect, it } from "vitest";
import { bytesKey, publicKeyBytes, signatureBytes } from "../../src/matrix/ed25519.js";
import {
  base,
  concatenate,
  encode,
  fromBytes,
  order,
  smallOrderEncodings,
  toBytes,
  torsion,
  unreducedEncodings,
} from "./edwards25519.js";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const p = 2n ** 255n - 19n;
const signBit = 2n ** 255n;

const someKey = encode(base);
const someNonce = encode(base);
const signature = (nonce: Uint8Array, s: bigint): Uint8Array => concatenate(nonce, toBytes(s));

it("the curve of these tests is Ed25519: its base point and its eight points of small order", () => {
  expect(hex(encode(base))).toBe(`58${"66".repeat(31)}`);
  expect(torsion).toHaveLength(8);
  expect(new Set(torsion.map((point) => hex(encode(point)))).size).toBe(8);
  expect(new Set(smallOrderEncodings.map(hex)).size).toBe(14);
});

describe("a key", () => {
  it.each(smallOrderEncodings.map(hex))("of small order is none: %s", (bytes) => {
    expect(publicKeyBytes(Buffer.from(bytes, "hex"))).toBeUndefined();
  });

  it.each(unreducedEncodings.map(hex))("whose y is not reduced is none: %s", (bytes) => {
    expect(publicKeyBytes(Buffer.from(bytes, "hex"))).toBeUndefined();
  });

  it.each([
    2n,
    3n,
    p - 2n,
    p - 3n,
    p - 2n + signBit,
    2n + signBit,
    p - (1n << 8n),
    p - (1n << 240n),
    0xedn,
    0xffn << 240n,
    2n ** 252n - 1n,
  ])("of any other y may be tried: %s", (number) => {
    const bytes = toBytes(number);
    expect(publicKeyBytes(bytes)).toBe(bytes);
  });

  it.each([0, 1, 31, 33, 64])("of %i bytes is none", (length) => {
    expect(publicKeyBytes(new Uint8Array(length).fill(9))).toBeUndefined();
  });
});

describe("a signature", () => {
  it.each([
    ["0", 0n, true],
    ["1", 1n, true],
    ["L - 1", order - 1n, true],
    ["L", order, false],
    ["L + 1", order + 1n, false],
    ["2L - 1", 2n * order - 1n, false],
    ["15L", 15n * order, false],
    ["2^252", 2n ** 252n, true],
    ["2^252 and more than L", 2n ** 252n + (order & (2n ** 252n - 1n)) + (1n << 8n), false],
    ["2^253", 2n ** 253n, false],
    ["2^255", 2n ** 255n, false],
    ["2^256 - 1", 2n ** 256n - 1n, false],
  ])("with S = %s: may be tried or not", (_, s, expected) => {
    expect(signatureBytes(signature(someNonce, s)) !== undefined).toBe(expected);
  });

  it("that may be tried comes back as it is", () => {
    const bytes = signature(someNonce, order - 1n);
    expect(signatureBytes(bytes)).toBe(bytes);
  });

  it.each(smallOrderEncodings.map(hex))("with an R of small order is none: %s", (nonce) => {
    expect(signatureBytes(signature(Buffer.from(nonce, "hex"), 1n))).toBeUndefined();
  });

  it("with an R whose y is not reduced may be tried, and fails there: no verifier writes such an R", () => {
    const weak = new Set(smallOrderEncodings.map(hex));
    for (const nonce of unreducedEncodings)
      expect(signatureBytes(signature(nonce, 1n)) === undefined).toBe(weak.has(hex(nonce)));
  });

  it.each([0, 32, 63, 65, 128])("of %i bytes is none", (length) => {
    expect(signatureBytes(new Uint8Array(length).fill(9))).toBeUndefined();
  });
});

it("reads a part of a larger buffer, as Node hands them out", () => {
  const room = new Uint8Array(100).fill(0xff);
  room.set(someKey, 7);
  expect(publicKeyBytes(room.subarray(7, 39))).toBeDefined();
  expect(fromBytes(room.subarray(7, 39))).toBe(fromBytes(someKey));
});

it("the same bytes have the same key, others another", () => {
  expect(bytesKey(Uint8Array.of(1, 2, 3))).toBe(bytesKey(Buffer.from([1, 2, 3])));
  expect(new Set([[], [0], [0, 0], [1], [0, 1]].map((bytes) => bytesKey(Uint8Array.from(bytes)))).size).toBe(
    5,
  );
});
