export { portableCrypto, portableSigningKey } from "./crypto.js";
