import { isLeft } from "fp-ts/lib/Either.js";
import { decodeBase64 } from "../matrix/base64.js";
import type { CryptoEngine } from "../matrix/crypto-engine.js";
import {
  type PublicKeyBytes,
  type SignatureBytes,
  bytesKey,
  publicKeyBytes,
  signatureBytes,
  verifySignature,
} from "../matrix/ed25519.js";
import { type JsonObject, hasMember, isJsonObject, member, stringMember } from "../matrix/json.js";
import type { RoomVersion } from "../matrix/room-version.js";
import { ed25519Prefix, signedBytes } from "../matrix/signed-json.js";
import { type Validity, readValidity } from "./key-validity.js";

/**
 * How many pairs of a signature and a key are tried for one invite, unless the host says otherwise. An honest invite
 * has about six; two hostile events of 64 KiB can hold 660,000, which is an hour of one core.
 */
export const defaultMaxPairs = 64;

/** A key of the room's event that verified a signature: as it stands there, with the validity it names for itself. */
export interface MatchedKey {
  readonly publicKey: string;
  readonly validity: Validity;
}

export type Proof =
  | { readonly _tag: "Proven"; readonly keys: readonly MatchedKey[] }
  | { readonly _tag: "NotProven" }
  /** More distinct pairs than the budget; none of them was tried. */
  | { readonly _tag: "TooMuchWork"; readonly pairs: number };

interface Key {
  readonly bytes: PublicKeyBytes;
  /** One key may stand in the event several times, in another alphabet or with another URL. */
  readonly written: MatchedKey[];
}

const addKey = (keys: Map<string, Key>, holder: unknown): void => {
  const publicKey = stringMember(holder, "public_key");
  const decoded = publicKey === undefined ? undefined : decodeBase64(publicKey);
  const bytes = decoded === undefined ? undefined : publicKeyBytes(decoded);
  if (publicKey === undefined || bytes === undefined) return;
  const name = bytesKey(bytes);
  const key = keys.get(name) ?? { bytes, written: [] };
  key.written.push({ publicKey, validity: readValidity(holder) });
  keys.set(name, key);
};

/** The distinct usable keys of an `m.room.third_party_invite`: `public_key` and those in `public_keys` (TPI-12, 13). */
const keysOf = (content: JsonObject): readonly Key[] => {
  const keys = new Map<string, Key>();
  addKey(keys, content);
  const list = member(content, "public_keys");
  if (Array.isArray(list)) for (const item of list) addKey(keys, item);
  return [...keys.values()];
};

/** The distinct usable signatures: server names and key IDs have no say (AUTH-N4), but the algorithm has (SIG-2). */
const signaturesOf = (signed: JsonObject): readonly SignatureBytes[] => {
  const found = new Map<string, SignatureBytes>();
  const servers = member(signed, "signatures");
  if (!isJsonObject(servers)) return [];
  for (const block of Object.values(servers)) {
    if (!isJsonObject(block)) continue;
    for (const [keyId, text] of Object.entries(block)) {
      if (!keyId.startsWith(ed25519Prefix) || typeof text !== "string") continue;
      const decoded = decodeBase64(text);
      const signature = decoded === undefined ? undefined : signatureBytes(decoded);
      if (signature !== undefined) found.set(bytesKey(signature), signature);
    }
  }
  return [...found.values()];
};

/** What a proof is sought in, decoded once; `verifies` is asked for a key at a time. */
interface Search {
  readonly keys: readonly Key[];
  readonly pairs: number;
  readonly verifies: (key: Key) => boolean;
}

const search = (
  crypto: CryptoEngine,
  version: RoomVersion,
  signed: JsonObject,
  content: JsonObject,
): Search => {
  const keys = keysOf(content);
  const signatures = keys.length === 0 ? [] : signaturesOf(signed);
  const message = signedBytes(signed, version.strictCanonicalJson ? "integers" : "any");
  return {
    keys,
    pairs: isLeft(message) ? 0 : keys.length * signatures.length,
    verifies: (key) =>
      !isLeft(message) &&
      signatures.some((signature) => verifySignature(crypto, key.bytes, message.right, signature)),
  };
};

/**
 * The proof that `signed` gives for the third-party invite whose content is `content`: **every** key of that event
 * that verifies any signature, each with its validity URL, so that whoever makes the member event can ask after
 * them (AUTH-MEM-3P-7, KEY-11). The order of signatures and keys never matters; what is malformed is passed over.
 * Distinct pairs are counted before any is tried. Takes unchecked JSON and never throws.
 *
 * @example
 * proveInvite(nodeCrypto, version, signed, tokenEvent.content); // { _tag: "Proven", keys: [{ publicKey: "…", … }] }
 */
export const proveInvite = (
  crypto: CryptoEngine,
  version: RoomVersion,
  signed: JsonObject,
  content: JsonObject,
  maxPairs: number = defaultMaxPairs,
): Proof => {
  const { keys, pairs, verifies } = search(crypto, version, signed, content);
  if (pairs > maxPairs) return { _tag: "TooMuchWork", pairs };
  const proven = pairs === 0 ? [] : keys.filter(verifies);
  return proven.length === 0
    ? { _tag: "NotProven" }
    : { _tag: "Proven", keys: proven.flatMap((key) => key.written) };
};

/** Whether any pair matches: what the judge of a received event needs to know, and not a verification more. */
export const isProven = (
  crypto: CryptoEngine,
  version: RoomVersion,
  signed: JsonObject,
  content: JsonObject,
  maxPairs: number,
): boolean | { readonly pairs: number } => {
  const { keys, pairs, verifies } = search(crypto, version, signed, content);
  if (pairs > maxPairs) return { pairs };
  return pairs > 0 && keys.some(verifies);
};

/** Whether a third-party invite has been emptied or redacted: it names no key at all (REV-2, REV-3). */
export const isRevoked = (content: JsonObject): boolean =>
  !hasMember(content, "public_key") && !hasMember(content, "public_keys");
