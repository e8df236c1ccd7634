import { isLeft } from "fp-ts/lib/Either.js";
import { encodeBase64 } from "../matrix/base64.js";
import { canonicalJson } from "../matrix/canonical-json.js";
import type { CryptoEngine } from "../matrix/crypto-engine.js";
import { encodeUtf8 } from "../matrix/utf8.js";
import type { Delivery } from "./onbind.js";

/**
 * What tells one proof from another of the same token and user. Nobody signs an onbind: whoever knows a token can deliver
 * a forged proof first, or name another sender, and must not take the good one's place by that.
 */
export const proofName = (crypto: CryptoEngine, { sender, signed }: Omit<Delivery, "roomId">): string => {
  const name = canonicalJson({ sender, signed: signed.json }, "any");
  // `parseSigned` refuses what has no canonical form.
  return isLeft(name) ? "" : encodeBase64(crypto.sha256(encodeUtf8(name.right)), "urlsafe");
};
