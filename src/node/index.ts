/**
 * What only Node has: the engine on `node:crypto`, and a `fetch` that reaches public addresses only.
 *
 * @module
 */
export { nodeCrypto, nodeSigningKey } from "./crypto.js";
export { type GuardedFetchOptions, guardedFetch } from "./guarded-fetch.js";
