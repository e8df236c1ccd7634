import { isRight } from "fp-ts/lib/Either.js";
import { decodeBase64 } from "../matrix/base64.js";
import type { CryptoEngine } from "../matrix/crypto-engine.js";
import type { ServerName } from "../matrix/ids.js";
import { type JsonObject, entriesOf, member } from "../matrix/json.js";
import { ed25519Prefix, signedBytes, verifyText } from "../matrix/signed-json.js";
import { parseIdentityServerName } from "./identity-server-name.js";

/** Real deliveries have one; whoever writes more gets no more of our time. */
const maxSigners = 2;
const maxSignatures = 4;

/** Whose signatures JSON carries, as far as we look at them. */
export const signersOf = (json: JsonObject): readonly ServerName[] =>
  entriesOf(member(json, "signatures"))
    .slice(0, maxSigners)
    .flatMap(([name]) => {
      const server = parseIdentityServerName(name);
      return isRight(server) ? [server.right] : [];
    });

/**
 * Whether one of these servers has signed the JSON by one of its keys, whatever the key is called: identity servers name
 * all of theirs `ed25519:0`. Keys are in base64, in either alphabet.
 */
export const isVouched = (
  crypto: CryptoEngine,
  json: JsonObject,
  keysOf: ReadonlyMap<ServerName, readonly string[]>,
): boolean => {
  if (!signersOf(json).some((name) => (keysOf.get(name) ?? []).length > 0)) return false;
  const bytes = signedBytes(json, "any");
  if (!isRight(bytes)) return false;
  return entriesOf(member(json, "signatures"))
    .slice(0, maxSigners)
    .some(([name, block]) => {
      const server = parseIdentityServerName(name);
      const keys = isRight(server) ? (keysOf.get(server.right) ?? []) : [];
      return entriesOf(block)
        .slice(0, maxSignatures)
        .some(
          ([keyId, text]) =>
            keyId.startsWith(ed25519Prefix) &&
            typeof text === "string" &&
            keys.some((key) => {
              const publicKey = decodeBase64(key);
              return publicKey !== undefined && verifyText(crypto, bytes.right, { text, publicKey });
            }),
        );
    });
};
