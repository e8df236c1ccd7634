import { isRight } from "fp-ts/lib/Either.js";
import { decodeBase64 } from "../matrix/base64.js";
import type { CryptoEngine } from "../matrix/crypto-engine.js";
import type { ServerName } from "../matrix/ids.js";
import { type JsonObject, entriesOf, member } from "../matrix/json.js";
import { isEd25519, signedBytes, verifyText } from "../matrix/signed-json.js";
import { parseIdentityServerName } from "./identity-server-name.js";

/** Real deliveries have one; whoever writes more gets no more of our time. */
const maxSigners = 2;
const maxSignatures = 4;

/** The signatures that JSON carries, by server, as far as we look at them. */
const signaturesOf = (json: JsonObject): readonly (readonly [ServerName, unknown])[] =>
  entriesOf(member(json, "signatures"))
    .slice(0, maxSigners)
    .flatMap(([name, block]) => {
      const server = parseIdentityServerName(name);
      return isRight(server) ? [[server.right, block] as const] : [];
    });

/** Whose signatures JSON carries, as far as we look at them. */
export const signersOf = (json: JsonObject): readonly ServerName[] =>
  signaturesOf(json).map(([server]) => server);

/**
 * Whether one of these servers has signed the JSON by one of its keys, whatever the key is called: identity servers name
 * all of theirs `ed25519:0`. Keys are in base64, in either alphabet.
 */
export const isVouched = (
  crypto: CryptoEngine,
  json: JsonObject,
  keysOf: ReadonlyMap<ServerName, readonly string[]>,
): boolean => {
  const checkable = signaturesOf(json)
    .map(([server, block]) => ({ keys: keysOf.get(server) ?? [], block }))
    .filter(({ keys }) => keys.length > 0);
  // Without a key there is nothing to check, and the bytes need not be made.
  if (checkable.length === 0) return false;
  const bytes = signedBytes(json, "any");
  if (!isRight(bytes)) return false;
  return checkable.some(({ keys, block }) =>
    entriesOf(block)
      .slice(0, maxSignatures)
      .some(
        ([keyId, text]) =>
          isEd25519(keyId) &&
          typeof text === "string" &&
          keys.some((key) => {
            const publicKey = decodeBase64(key);
            return publicKey !== undefined && verifyText(crypto, bytes.right, { text, publicKey });
          }),
      ),
  );
};
