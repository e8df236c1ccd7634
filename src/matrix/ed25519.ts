import type { Branded } from "./ids.js";
import type { CryptoEngine } from "./crypto-engine.js";

/**
 * 32 bytes that may be tried as an Ed25519 key, and 64 that may be tried as a signature. What they leave out
 * makes every engine accept what libsodium 1.0.18 to 1.0.22 accepts: nothing else would keep two servers with
 * different engines in one room (docs/decisions.md, "One Ed25519 accept set").
 */
export type PublicKeyBytes = Branded<Uint8Array, "PublicKeyBytes">;
export type SignatureBytes = Branded<Uint8Array, "SignatureBytes">;

const bytesOf = (hex: string): Uint8Array =>
  Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));

/** The order of the base point, little-endian, as S is. */
const groupOrder = bytesOf("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");

/**
 * Every encoding of a point whose order divides 8, sign bit cleared: with such a key anybody can sign, with such an
 * R a signature says nothing of the key.
 */
const smallOrder: readonly Uint8Array[] = [
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0100000000000000000000000000000000000000000000000000000000000000",
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
].map(bytesOf);

const byte = (bytes: Uint8Array, at: number): number => bytes[at] ?? 0;

/** The sign of x stands in the top bit of the last byte; the rest is y. */
const yByte = (point: Uint8Array, at: number): number => byte(point, at) & (at === 31 ? 0x7f : 0xff);

const isSpelt = (point: Uint8Array, weak: Uint8Array): boolean => {
  for (let at = 0; at < 32; at += 1) if (yByte(point, at) !== weak[at]) return false;
  return true;
};

const hasSmallOrder = (point: Uint8Array): boolean => {
  for (const weak of smallOrder) if (isSpelt(point, weak)) return true;
  return false;
};

/** y below 2^255 - 19. */
const isCanonicalPoint = (point: Uint8Array): boolean => {
  if (yByte(point, 31) !== 0x7f || byte(point, 0) < 0xed) return true;
  for (let at = 1; at < 31; at += 1) if (byte(point, at) !== 0xff) return true;
  return false;
};

/** S below the order of the group: otherwise S + L would be a second signature of the same message. */
const isReducedScalar = (signature: Uint8Array): boolean => {
  for (let at = 31; at >= 0; at -= 1) {
    const difference = byte(signature, 32 + at) - byte(groupOrder, at);
    if (difference !== 0) return difference < 0;
  }
  return false;
};

/** The bytes as a key, or `undefined`: not 32 of them, not canonical, or of small order. */
export const publicKeyBytes = (bytes: Uint8Array): PublicKeyBytes | undefined =>
  bytes.length === 32 && isCanonicalPoint(bytes) && !hasSmallOrder(bytes)
    ? (bytes as PublicKeyBytes)
    : undefined;

/** The bytes as a signature, or `undefined`: not 64 of them, S not reduced, or R of small order. */
export const signatureBytes = (bytes: Uint8Array): SignatureBytes | undefined =>
  bytes.length === 64 && isReducedScalar(bytes) && !hasSmallOrder(bytes)
    ? (bytes as SignatureBytes)
    : undefined;

/** Verifies with any engine, and says the same with each of them. */
export const verifySignature = (
  crypto: CryptoEngine,
  publicKey: PublicKeyBytes,
  message: Uint8Array,
  signature: SignatureBytes,
): boolean => crypto.verify(publicKey, message, signature);

/** A text that is the same for the same bytes, to find duplicates by. */
export const bytesKey = (bytes: Uint8Array): string => {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
};
