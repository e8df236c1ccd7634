export { nodeCrypto, nodeSigningKey } from "./crypto.js";
export { type GuardedFetchOptions, guardedFetch } from "./guarded-fetch.js";
