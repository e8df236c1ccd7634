import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import nacl from "tweetnacl";
import type { CryptoEngine, SigningKey } from "../matrix/crypto-engine.js";

// tweetnacl insists on true Uint8Arrays of the right length and throws otherwise; the core keeps to both.
const { detached } = nacl.sign;

/**
 * The engine for every runtime: Ed25519 of tweetnacl, SHA-256 of @noble/hashes. Some 40 to 110 times slower than
 * `nodeCrypto`.
 *
 * @example
 * import { portableCrypto } from "matrix-third-party-invites/portable";
 * authorize(event, state, portableCrypto);
 */
export const portableCrypto: CryptoEngine = {
  verify: (publicKey, message, signature) => detached.verify(message, signature, publicKey),
  sha256: (data) => sha256(data),
  hmacSha256: (key, data) => hmac(sha256, key, data),
};

/**
 * A signing key from its 32-byte seed, as Matrix servers store it.
 *
 * @example
 * const key = portableSigningKey("ed25519:1", crypto.getRandomValues(new Uint8Array(32)));
 */
export const portableSigningKey = (keyId: string, seed: Uint8Array): SigningKey => {
  const pair = nacl.sign.keyPair.fromSeed(seed);
  return { keyId, publicKey: pair.publicKey, sign: (message) => detached(message, pair.secretKey) };
};
