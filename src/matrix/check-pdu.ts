import { type Either, isLeft, left, right } from "fp-ts/lib/Either.js";
import type { NotCanonicalJson } from "./canonical-json.js";
import type { CryptoEngine } from "./crypto-engine.js";
import { type BadFormat, checkEventFormat } from "./event-format.js";
import { type JsonObject, entriesOf, member } from "./json.js";
import { type NoEventId, contentHashMatches, eventId, signedBytesOfPdu } from "./pdu.js";
import { redact } from "./redaction.js";
import { requiredSigners } from "./required-signers.js";
import type { RoomVersion } from "./room-version.js";
import { isEd25519, signatureText, verifyText } from "./signed-json.js";
import { WrittenNumber } from "./written-number.js";

/** A key that a server has or had, as its key document says. Times are milliseconds since 1970. */
export interface ServerKey {
  readonly publicKey: Uint8Array;
  /** `valid_until_ts` of the document that names the key among its `verify_keys`. */
  readonly validUntilTs?: number;
  /** `expired_ts`, where the document names the key among its `old_verify_keys`. */
  readonly expiredTs?: number;
}

/** No more than a week of a key's validity is believed: a key that was stolen would otherwise be good for years. */
export const longestValidity = 7 * 24 * 60 * 60 * 1000;

/**
 * Whether a key may have signed an event of that time: not when it had expired before, and from room version 5 on
 * not later than its document is valid, of which no more is believed than a week from `now`.
 *
 * From room version 5 on a key must be valid at the time of the event: https://spec.matrix.org/v1.19/rooms/v5/#signing-key-validity-period
 *
 * @example
 * mayHaveSigned({ publicKey, validUntilTs: 5000 }, roomVersion("5")!, { originServerTs: 5001, now }); // false
 */
export const mayHaveSigned = (
  { validUntilTs, expiredTs }: Omit<ServerKey, "publicKey">,
  version: RoomVersion,
  { originServerTs, now }: { readonly originServerTs: number; readonly now: number },
): boolean => {
  if (expiredTs !== undefined) return originServerTs <= expiredTs;
  if (!version.enforcesKeyValidity || validUntilTs === undefined) return true;
  return originServerTs <= Math.min(validUntilTs, now + longestValidity);
};

/** A received event that may go on to the authorisation rules. */
export interface CheckedPdu {
  readonly eventId: string;
  /** The event to use: as it came, or its redacted copy where the content hash does not match. */
  readonly pdu: JsonObject;
  readonly hashMatches: boolean;
  /** Every server that has signed it: what `authorize` takes as `verifiedSigners`. */
  readonly signers: ReadonlySet<string>;
}

/** Why a received event must be dropped. */
export type BadPdu =
  BadFormat | NotCanonicalJson | NoEventId | { readonly _tag: "NotSignedBy"; readonly server: string };

/** A key by whom it belongs to and its ID. */
export interface KeyName {
  readonly server: string;
  readonly keyId: string;
}

/**
 * The keys that the signatures of a received event name, of the servers that must have signed it: what a host fetches, if it
 * does not know them, before `checkPdu`. Signatures of other algorithms than Ed25519 are passed over. Takes unchecked JSON,
 * never throws.
 *
 * A server fetches the keys of the signatures that it must check: https://spec.matrix.org/v1.19/server-server-api/#validating-hashes-and-signatures-on-received-events
 *
 * @example
 * await keys.fetch(keysNeeded(nodeCrypto, pdu, version)); // [{ server: "example.org", keyId: "ed25519:1" }]
 */
export const keysNeeded = (crypto: CryptoEngine, pdu: JsonObject, version: RoomVersion): readonly KeyName[] =>
  requiredSigners(pdu, version, contentHashMatches(crypto, pdu, version)).flatMap((server) =>
    entriesOf(member(member(pdu, "signatures"), server)).flatMap(([keyId]) =>
      isEd25519(keyId) ? [{ server, keyId }] : [],
    ),
  );

/** What the host knows when it checks an event. */
export interface KnownKeys {
  /** The key of a server by its key ID, fetched before; `undefined` where it is not known. */
  readonly keyOf: (server: string, keyId: string) => ServerKey | undefined;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** JSON that is deeper is no event: what writes it says so. */
const maxDepth = 1_000;

/**
 * Whether a number stands in it that is no integer, or was not written as one (D-40). Where only integers may stand, `1.0` is
 * refused and not taken for a 1: whoever reads the text strictly refuses it, wherever in the event it stands.
 */
const hasOddNumber = (value: unknown, depth = 0): boolean => {
  if (typeof value === "number") return !Number.isSafeInteger(value);
  if (typeof value !== "object" || value === null || depth > maxDepth) return false;
  return value instanceof WrittenNumber || Object.values(value).some((item) => hasOddNumber(item, depth + 1));
};

/**
 * Every server that has signed an event: at least one of its keys is known and may have, and the signature of every such key
 * verifies. What unknown keys, or keys of other algorithms, signed is passed over.
 */
export const verifiedSigners = (
  crypto: CryptoEngine,
  pdu: JsonObject,
  version: RoomVersion,
  { keyOf, now }: KnownKeys,
): ReadonlySet<string> => {
  const time = member(pdu, "origin_server_ts");
  const originServerTs = typeof time === "number" ? time : Infinity;

  // Once for all signatures: an event of 64 KiB may have hundreds.
  const signed = signedBytesOfPdu(pdu, version);

  const hasSigned = (server: string, block: unknown): boolean => {
    const known = entriesOf(block).flatMap(([keyId]) => {
      const key = isEd25519(keyId) ? keyOf(server, keyId) : undefined;
      return key !== undefined && mayHaveSigned(key, version, { originServerTs, now })
        ? [{ entity: server, keyId, publicKey: key.publicKey }]
        : [];
    });
    return (
      known.length > 0 &&
      known.every(({ publicKey, ...by }) => {
        const text = signatureText(pdu, by);
        return text !== undefined && !isLeft(signed) && verifyText(crypto, signed.right, { text, publicKey });
      })
    );
  };
  return new Set(
    entriesOf(member(pdu, "signatures")).flatMap(([server, block]) =>
      hasSigned(server, block) ? [server] : [],
    ),
  );
};

/**
 * The checks of a received event before any rule: the format of its room version (`checkEventFormat`), its ID, its content
 * hash, and the signatures of the servers that must have signed it. The exemption of a proven member invite is decided on the copy that will be
 * used. A server has signed where at least one of its keys is known and may have, and the signature of
 * every such key verifies; what unknown keys, or keys of other algorithms, signed is passed over. Takes unchecked JSON, never throws.
 *
 * A received event is dropped if its format or a signature is wrong, and redacted if its content hash is: https://spec.matrix.org/v1.19/server-server-api/#checks-performed-on-receipt-of-a-pdu
 *
 * @example
 * const checked = checkPdu(nodeCrypto, pdu, version, { keyOf, now });
 * // right({ eventId: "$…", pdu, hashMatches: true, signers: new Set(["example.org"]) })
 */
export const checkPdu = (
  crypto: CryptoEngine,
  pdu: JsonObject,
  version: RoomVersion,
  keys: KnownKeys,
): Either<BadPdu, CheckedPdu> => {
  if (version.strictCanonicalJson && hasOddNumber(pdu))
    return left({ _tag: "NotCanonicalJson", reason: "number" });
  const format = checkEventFormat(pdu, version);
  if (isLeft(format)) return format;
  const id = eventId(crypto, pdu, version);
  if (isLeft(id)) return id;
  const hashMatches = contentHashMatches(crypto, pdu, version);
  const signers = verifiedSigners(crypto, pdu, version, keys);
  const missing = requiredSigners(pdu, version, hashMatches).find((server) => !signers.has(server));
  return missing === undefined
    ? right({ eventId: id.right, pdu: hashMatches ? pdu : redact(pdu, version), hashMatches, signers })
    : left({ _tag: "NotSignedBy", server: missing });
};
