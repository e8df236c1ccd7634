import { type Either, isLeft, left, right } from "fp-ts/lib/Either.js";
import { decodeBase64 } from "./base64.js";
import { type ServerKey, longestValidity } from "./check-pdu.js";
import type { CryptoEngine } from "./crypto-engine.js";
import { type PublicKeyBytes, publicKeyBytes } from "./ed25519.js";
import { type ServerName, parseServerName } from "./ids.js";
import { entriesOf, isJsonObject, member, stringMember } from "./json.js";
import { isEd25519, signatureText, signedBytes, verifyText } from "./signed-json.js";

/** The keys of a server by their IDs, as its key document has them. */
export interface KnownServerKeys {
  readonly serverName: ServerName;
  /** When to fetch the document again at the latest: its `valid_until_ts`, but not later than a week from when it came. */
  readonly validUntilTs: number;
  /** Requests are signed by those without `expiredTs` only; events also by the others, until they expired. */
  readonly keys: ReadonlyMap<string, ServerKey>;
}

/** Why a key document says nothing: the member that is missing or wrong; `signatures` where it is not signed by a key of its own. */
export interface BadServerKeys {
  readonly _tag: "BadServerKeys";
  readonly field: "server_name" | "valid_until_ts" | "verify_keys" | "signatures";
}

/** The usable Ed25519 keys of a member; others are passed over. */
const keysIn = (
  document: unknown,
  name: string,
): readonly { readonly keyId: string; readonly publicKey: PublicKeyBytes; readonly holder: unknown }[] =>
  entriesOf(member(document, name)).flatMap(([keyId, holder]) => {
    const decoded = isEd25519(keyId) ? decodeBase64(stringMember(holder, "key") ?? "") : undefined;
    const publicKey = decoded === undefined ? undefined : publicKeyBytes(decoded);
    return publicKey === undefined ? [] : [{ keyId, publicKey, holder }];
  });

/**
 * Reads the answer of `GET /_matrix/key/v2/server`, or one of `server_keys` of a notary's answer, into keys that `checkPdu`
 * and `verifyRequest` take. It must be of the server that was asked, and signed by a key among its own `verify_keys`;
 * every signature by such a key must verify. A key that is among `old_verify_keys` has expired, also where it is among
 * `verify_keys`. Keys of other algorithms, and what is malformed, are passed over. Takes unchecked JSON, never throws.
 *
 * A server publishes its keys, signed by themselves, and no more than a week of their validity is believed: https://spec.matrix.org/v1.19/server-server-api/#publishing-keys
 *
 * @example
 * const read = parseServerKeys(nodeCrypto, document, { serverName: "example.org", now });
 * // right({ serverName: "example.org", validUntilTs: 1700000000000, keys: new Map([["ed25519:1", { publicKey, … }]]) })
 */
export const parseServerKeys = (
  crypto: CryptoEngine,
  document: unknown,
  { serverName, now }: { readonly serverName: string; readonly now: number },
): Either<BadServerKeys, KnownServerKeys> => {
  const bad = (field: BadServerKeys["field"]): Either<BadServerKeys, never> =>
    left({ _tag: "BadServerKeys", field });
  const name = parseServerName(member(document, "server_name"));
  if (!isJsonObject(document) || isLeft(name) || name.right !== serverName) return bad("server_name");
  const until = member(document, "valid_until_ts");
  if (typeof until !== "number" || !Number.isSafeInteger(until) || until < 0) return bad("valid_until_ts");
  const current = keysIn(document, "verify_keys");
  if (current.length === 0) return bad("verify_keys");

  const message = signedBytes(document, "any");
  const signed = current.flatMap(({ keyId, publicKey }) => {
    const text = signatureText(document, { entity: serverName, keyId });
    return text === undefined ? [] : [{ text, publicKey }];
  });
  if (isLeft(message) || signed.length === 0) return bad("signatures");
  if (!signed.every((by) => verifyText(crypto, message.right, by))) return bad("signatures");

  const validUntilTs = Math.min(until, now + longestValidity);
  const old = keysIn(document, "old_verify_keys").flatMap(({ keyId, publicKey, holder }) => {
    const expiredTs = member(holder, "expired_ts");
    return typeof expiredTs === "number" && Number.isSafeInteger(expiredTs)
      ? [[keyId, { publicKey, expiredTs }] as const]
      : [];
  });
  const keys = new Map<string, ServerKey>([
    ...current.map(({ keyId, publicKey }) => [keyId, { publicKey, validUntilTs }] as const),
    ...old,
  ]);
  return right({ serverName: name.right, validUntilTs, keys });
};
