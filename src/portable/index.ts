/**
 * The engine for every other runtime: Ed25519 of tweetnacl, SHA-256 and HMAC of `@noble/hashes`.
 *
 * @module
 */
export { portableCrypto, portableSigningKey } from "./crypto.js";
