import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import type { CryptoEngine, SigningKey } from "../matrix/crypto-engine.js";

/** The functions of a libsodium that are called; `libsodium-wrappers` has them once its `ready` has come. */
export interface Libsodium {
  readonly crypto_sign_verify_detached: (
    signature: Uint8Array,
    message: Uint8Array,
    publicKey: Uint8Array,
  ) => boolean;
  readonly crypto_sign_detached: (message: Uint8Array, privateKey: Uint8Array) => Uint8Array;
  readonly crypto_sign_seed_keypair: (seed: Uint8Array) => {
    readonly publicKey: Uint8Array;
    readonly privateKey: Uint8Array;
  };
}

/** Before, the functions are not there. */
const requireReady = (sodium: Libsodium): void => {
  if (typeof sodium.crypto_sign_verify_detached !== "function")
    throw new TypeError("libsodium is not ready: await its ready first.");
};

/**
 * The engine for runtimes with WebAssembly and without `node:crypto`: Ed25519 of the libsodium that it is given, SHA-256
 * of @noble/hashes. Throws a `TypeError` if that libsodium is not ready.
 *
 * @example
 * import sodium from "libsodium-wrappers";
 * import { libsodiumCrypto } from "matrix-third-party-invites/libsodium";
 * await sodium.ready;
 * authorize(event, state, libsodiumCrypto(sodium));
 */
export const libsodiumCrypto = (sodium: Libsodium): CryptoEngine => {
  requireReady(sodium);
  return {
    verify: (publicKey, message, signature) =>
      sodium.crypto_sign_verify_detached(signature, message, publicKey),
    sha256: (data) => sha256(data),
    hmacSha256: (key, data) => hmac(sha256, key, data),
  };
};

/**
 * A signing key from its 32-byte seed, as Matrix servers store it. Throws a `TypeError` if that libsodium is not ready.
 *
 * @example
 * const key = libsodiumSigningKey(sodium, "ed25519:1", crypto.getRandomValues(new Uint8Array(32)));
 */
export const libsodiumSigningKey = (sodium: Libsodium, keyId: string, seed: Uint8Array): SigningKey => {
  requireReady(sodium);
  const { publicKey, privateKey } = sodium.crypto_sign_seed_keypair(seed);
  return { keyId, publicKey, sign: (message) => sodium.crypto_sign_detached(message, privateKey) };
};
