/**
 * The engine over a libsodium that the host gives, such as `libsodium-wrappers`.
 *
 * @module
 */
export { type Libsodium, libsodiumCrypto, libsodiumSigningKey } from "./crypto.js";
