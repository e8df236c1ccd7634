import { type Either, isLeft, left, map, right } from "fp-ts/lib/Either.js";
import { decodeBase64, encodeBase64 } from "./base64.js";
import { type CanonicalNumbers, type NotCanonicalJson, canonicalJson } from "./canonical-json.js";
import type { CryptoEngine, SigningKey } from "./crypto-engine.js";
import { publicKeyBytes, signatureBytes, verifySignature } from "./ed25519.js";
import { type JsonObject, isJsonObject, member, stringMember, withoutMembers } from "./json.js";
import { encodeUtf8 } from "./utf8.js";

/** Whether a key ID is one of the algorithm whose signatures count; those of others are passed over. */
export const isEd25519 = (keyId: string): boolean => keyId.startsWith("ed25519:");

/**
 * The bytes that a signature covers: the canonical JSON of the object without `signatures` and `unsigned`, every
 * other member as it was received.
 *
 * A signature does not cover `signatures` and `unsigned`: https://spec.matrix.org/v1.19/appendices/#signing-details
 */
export const signedBytes = (
  object: JsonObject,
  numbers: CanonicalNumbers = "integers",
): Either<NotCanonicalJson, Uint8Array> =>
  map(encodeUtf8)(canonicalJson(withoutMembers(object, ["signatures", "unsigned"]), numbers));

/** The object with one more signature at `signatures[entity][keyId]`; those that stood there stay. */
export const withSignature = (
  object: JsonObject,
  entity: string,
  keyId: string,
  signature: Uint8Array,
): JsonObject => {
  const signatures = member(object, "signatures");
  const block = member(signatures, entity);
  // Computed names define own members even when they read `__proto__`.
  return {
    ...object,
    ["signatures"]: {
      ...(isJsonObject(signatures) ? signatures : {}),
      [entity]: { ...(isJsonObject(block) ? block : {}), [keyId]: encodeBase64(signature) },
    },
  };
};

/**
 * Signs JSON as `entity`, a server name.
 *
 * A signature is added under the name of the signer and the key ID: https://spec.matrix.org/v1.19/appendices/#signing-details
 *
 * @example
 * signJson({ one: 1 }, "example.org", key); // right({ one: 1, signatures: { "example.org": { "ed25519:1": "…" } } })
 */
export const signJson = (
  object: JsonObject,
  entity: string,
  key: SigningKey,
  numbers: CanonicalNumbers = "integers",
): Either<NotCanonicalJson, JsonObject> =>
  map((bytes: Uint8Array) => withSignature(object, entity, key.keyId, key.sign(bytes)))(
    signedBytes(object, numbers),
  );

/** Why JSON is not signed by whom it was asked for. */
export type NotSigned =
  NotCanonicalJson | { readonly _tag: "NoSignature" } | { readonly _tag: "BadSignature" };

/** The signature of an entity by a key, as it is written; `undefined` where there is none that counts. */
export const signatureText = (
  object: JsonObject,
  { entity, keyId }: { readonly entity: string; readonly keyId: string },
): string | undefined =>
  isEd25519(keyId) ? stringMember(member(member(object, "signatures"), entity), keyId) : undefined;

/** Whether a signature, as it is written, is one of these bytes by a key. What is malformed is none. */
export const verifyText = (
  crypto: CryptoEngine,
  message: Uint8Array,
  { text, publicKey }: { readonly text: string; readonly publicKey: Uint8Array },
): boolean => {
  const key = publicKeyBytes(publicKey);
  const decoded = decodeBase64(text);
  const signature = decoded === undefined ? undefined : signatureBytes(decoded);
  return key !== undefined && signature !== undefined && verifySignature(crypto, key, message, signature);
};

/**
 * Checks that `object` carries a signature of `entity` by the key `keyId`, whose 32 bytes are `publicKey`.
 * Takes unchecked JSON; whatever is malformed is not signed.
 *
 * A signature is checked over the canonical JSON without `signatures` and `unsigned`: https://spec.matrix.org/v1.19/appendices/#checking-for-a-signature
 *
 * @example
 * verifyJson(crypto, object, { entity: "example.org", keyId: "ed25519:1", publicKey });
 */
export const verifyJson = (
  crypto: CryptoEngine,
  object: JsonObject,
  by: { readonly entity: string; readonly keyId: string; readonly publicKey: Uint8Array },
  numbers: CanonicalNumbers = "integers",
): Either<NotSigned, void> => {
  const text = signatureText(object, by);
  if (text === undefined) return left({ _tag: "NoSignature" });
  const bytes = signedBytes(object, numbers);
  if (isLeft(bytes)) return bytes;
  return verifyText(crypto, bytes.right, { text, publicKey: by.publicKey })
    ? right(undefined)
    : left({ _tag: "BadSignature" });
};
