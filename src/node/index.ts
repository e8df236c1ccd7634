export { nodeCrypto, nodeSigningKey } from "./crypto.js";
