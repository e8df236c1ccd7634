import {
  type KeyObject,
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  sign,
  verify,
} from "node:crypto";
import type { CryptoEngine, SigningKey } from "../matrix/crypto-engine.js";

// A raw Ed25519 key in DER is these fixed bytes and the key (RFC 8410).
const publicPrefix = Buffer.from("302a300506032b6570032100", "hex");
const privatePrefix = Buffer.from("302e020100300506032b657004220420", "hex");

const importPublic = (raw: Uint8Array): KeyObject =>
  createPublicKey({ key: Buffer.concat([publicPrefix, raw]), format: "der", type: "spki" });

/** Making a key object costs as much as a verification, and an identity server signs with the same few keys. */
const cached = new Map<string, KeyObject>();
const cacheSize = 256;

const keyObject = (raw: Uint8Array): KeyObject => {
  const name = Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength).toString("latin1");
  const found = cached.get(name);
  if (found !== undefined) return found;
  const made = importPublic(raw);
  if (cached.size >= cacheSize) {
    const [oldest] = cached.keys();
    if (oldest !== undefined) cached.delete(oldest);
  }
  cached.set(name, made);
  return made;
};

/**
 * The engine for Node: `node:crypto`, with a bounded cache of key objects.
 *
 * @example
 * import { nodeCrypto } from "matrix-third-party-invites/node";
 * authorize(event, state, nodeCrypto);
 */
export const nodeCrypto: CryptoEngine = {
  verify: (publicKey, message, signature) => {
    try {
      return verify(null, message, keyObject(publicKey), signature);
    } catch {
      // Deno throws where Node answers false: for 32 bytes that are no point of the curve.
      return false;
    }
  },
  sha256: (data) => createHash("sha256").update(data).digest(),
  hmacSha256: (key, data) => createHmac("sha256", key).update(data).digest(),
};

/**
 * A signing key from its 32-byte seed, as Matrix servers store it. Throws a `TypeError` for a seed of another length.
 *
 * @example
 * const key = nodeSigningKey("ed25519:1", randomBytes(32));
 */
export const nodeSigningKey = (keyId: string, seed: Uint8Array): SigningKey => {
  // OpenSSL passes over what follows the 32 bytes, such as the rest of a seed that is still in base64.
  if (seed.length !== 32) throw new TypeError("The seed of a signing key must have 32 bytes.");
  const secret = createPrivateKey({
    key: Buffer.concat([privatePrefix, seed]),
    format: "der",
    type: "pkcs8",
  });
  const raw = createPublicKey(secret).export({ format: "der", type: "spki" }).subarray(publicPrefix.length);
  return { keyId, publicKey: new Uint8Array(raw), sign: (message) => sign(null, message, secret) };
};
