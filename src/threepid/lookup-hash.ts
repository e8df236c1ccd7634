import { encodeBase64 } from "../matrix/base64.js";
import type { CryptoEngine } from "../matrix/crypto-engine.js";
import { encodeUtf8 } from "../matrix/utf8.js";
import type { Threepid } from "./threepid.js";

/**
 * What `lookup` is asked with under the algorithm `sha256`: the URL-safe unpadded base64 of the SHA-256 of
 * `address medium pepper`.
 *
 * The address, the medium and the pepper are joined by spaces and hashed: https://spec.matrix.org/v1.19/identity-service-api/#sha256
 *
 * @example
 * lookupHash(nodeCrypto, { medium: "email", address: "alice@example.com" }, "matrixrocks");
 * // "4kenr7N9drpCJ4AfalmlGQVsOn3o2RHjkADUpXJWZUc"
 */
export const lookupHash = (crypto: CryptoEngine, threepid: Threepid, pepper: string): string =>
  encodeBase64(crypto.sha256(encodeUtf8(`${threepid.address} ${threepid.medium} ${pepper}`)), "urlsafe");

/**
 * What `lookup` is asked with under the algorithm `none`: the address in clear.
 *
 * The address and the medium are joined by a space: https://spec.matrix.org/v1.19/identity-service-api/#none
 */
export const lookupInClear = (threepid: Threepid): string => `${threepid.address} ${threepid.medium}`;
