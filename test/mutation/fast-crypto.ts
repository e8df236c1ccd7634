export { nodeCrypto as portableCrypto, nodeSigningKey as portableSigningKey } from "../../src/node/crypto.js";
