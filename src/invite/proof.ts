import { type Either, isLeft, right } from "fp-ts/lib/Either.js";
import { decodeBase64 } from "../matrix/base64.js";
import type { NotCanonicalJson } from "../matrix/canonical-json.js";
import type { CryptoEngine } from "../matrix/crypto-engine.js";
import {
  type PublicKeyBytes,
  type SignatureBytes,
  bytesKey,
  publicKeyBytes,
  signatureBytes,
  verifySignature,
} from "../matrix/ed25519.js";
import { type JsonObject, entriesOf, hasMember, member, stringMember } from "../matrix/json.js";
import { type RoomVersion, numbersOf } from "../matrix/room-version.js";
import { isEd25519, signedBytes } from "../matrix/signed-json.js";
import { type Validity, readValidity } from "./key-validity.js";
import { isTooLarge } from "./signed-size.js";

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

/** With what a proof is looked for. */
export interface ProofContext {
  readonly crypto: CryptoEngine;
  /** The version of the room: it says what is canonical. */
  readonly version: RoomVersion;
  /** How many distinct pairs of signature and key may be tried; 64 unless told otherwise. */
  readonly maxPairs?: number | undefined;
}

export type Proof =
  | {
      readonly _tag: "Proven";
      readonly keys: readonly MatchedKey[];
      /** What of `signed.signatures` verified, in its own shape. The rest was signed by nobody whom the room knows. */
      readonly signatures: JsonObject;
    }
  | { readonly _tag: "NotProven" }
  /** No event can hold `signed`; nothing of it was tried. */
  | { readonly _tag: "SignedTooLarge" }
  /** More distinct pairs than the budget; none of them was tried. */
  | { readonly _tag: "TooMuchWork"; readonly pairs: number };

/** Why no pair was tried, though one might match. */
export type Untried = Extract<Proof, { readonly _tag: "SignedTooLarge" | "TooMuchWork" }>;

/** One of the distinct usable keys. */
export interface Key {
  readonly bytes: PublicKeyBytes;
  /** One key may stand in the event several times, in another alphabet or with another URL. */
  readonly written: { readonly publicKey: string; readonly holder: unknown }[];
}

/** Somebody who is shown each key and signature as it stands there, with what it was read as: nothing if it is unusable. */
interface ProofReader {
  readonly key: (holder: unknown, read: Key | undefined) => void;
  readonly signature: (server: string, keyId: string, text: unknown, read: Signature | undefined) => void;
}

/** The distinct usable keys of an `m.room.third_party_invite`: `public_key` and those in `public_keys`. */
const keysOf = (content: JsonObject, reader: ProofReader | undefined): readonly Key[] => {
  const keys = new Map<string, Key>();
  // The first of the list stands at the top again, letter by letter: it need not be decoded twice.
  const read = new Map<string, Key | undefined>();
  const add = (holder: unknown): void => {
    const publicKey = stringMember(holder, "public_key");
    if (publicKey === undefined) {
      reader?.key(holder, undefined);
      return;
    }
    const key = read.has(publicKey) ? read.get(publicKey) : keyIn(publicKey, keys);
    read.set(publicKey, key);
    key?.written.push({ publicKey, holder });
    reader?.key(holder, key);
  };
  add(content);
  const list = member(content, "public_keys");
  if (Array.isArray(list)) for (const item of list) add(item);
  return [...keys.values()];
};

/** The key that a text spells, among those known by their bytes. */
const keyIn = (publicKey: string, keys: Map<string, Key>): Key | undefined => {
  const decoded = decodeBase64(publicKey);
  const bytes = decoded === undefined ? undefined : publicKeyBytes(decoded);
  if (bytes === undefined) return undefined;
  const name = bytesKey(bytes);
  const key = keys.get(name) ?? { bytes, written: [] };
  keys.set(name, key);
  return key;
};

/** One of the distinct usable signatures. */
export interface Signature {
  readonly bytes: SignatureBytes;
  /** One signature may stand in `signatures` several times. */
  readonly places: { readonly server: string; readonly keyId: string; readonly text: string }[];
}

/** The distinct usable signatures: server names and key IDs have no say, but the algorithm has. */
const signaturesOf = (signed: JsonObject, reader: ProofReader | undefined): readonly Signature[] => {
  const found = new Map<string, Signature>();
  for (const [server, block] of entriesOf(member(signed, "signatures"))) {
    for (const [keyId, text] of entriesOf(block)) {
      const signature = signatureAt(server, keyId, text, found);
      reader?.signature(server, keyId, text, signature);
    }
  }
  return [...found.values()];
};

/** The signature at a place, put among those known by their bytes. */
const signatureAt = (
  server: string,
  keyId: string,
  text: unknown,
  found: Map<string, Signature>,
): Signature | undefined => {
  if (!isEd25519(keyId) || typeof text !== "string") return undefined;
  const decoded = decodeBase64(text);
  const bytes = decoded === undefined ? undefined : signatureBytes(decoded);
  if (bytes === undefined) return undefined;
  const name = bytesKey(bytes);
  const signature = found.get(name) ?? { bytes, places: [] };
  signature.places.push({ server, keyId, text });
  found.set(name, signature);
  return signature;
};

/** What a proof is sought in, decoded once. */
export interface Search {
  readonly isTooLarge: boolean;
  readonly message: Either<NotCanonicalJson, Uint8Array>;
  readonly keys: readonly Key[];
  readonly signatures: readonly Signature[];
  readonly pairs: number;
  readonly matches: (key: Key, signature: Signature) => boolean;
}

/** Of a `signed` that no event can hold not a byte is written. */
const nothingTried: Search = {
  isTooLarge: true,
  message: right(new Uint8Array()),
  keys: [],
  signatures: [],
  pairs: 0,
  matches: () => false,
};

/**
 * Whether a search must not be begun. A budget that is no number allows nothing: compared the other way round, NaN would
 * allow everything.
 */
export const untried = (
  { isTooLarge, pairs }: Pick<Search, "isTooLarge" | "pairs">,
  maxPairs: number = defaultMaxPairs,
): Untried | undefined =>
  isTooLarge ? { _tag: "SignedTooLarge" } : pairs <= maxPairs ? undefined : { _tag: "TooMuchWork", pairs };

/** Stops where nothing can come of it any more, unless a reader wants to see it all. */
export const search = (
  { crypto, version }: ProofContext,
  signed: JsonObject,
  content: JsonObject,
  reader?: ProofReader,
): Search => {
  const tooLarge = isTooLarge(signed);
  if (tooLarge && reader === undefined) return nothingTried;
  const message = signedBytes(signed, numbersOf(version));
  const keys = isLeft(message) && reader === undefined ? [] : keysOf(content, reader);
  const signatures = keys.length === 0 && reader === undefined ? [] : signaturesOf(signed, reader);
  return {
    isTooLarge: tooLarge,
    message,
    keys,
    signatures,
    // Where nothing can have been signed there is nothing to try.
    pairs: isLeft(message) ? 0 : keys.length * signatures.length,
    matches: (key, signature) =>
      !isLeft(message) && verifySignature(crypto, key.bytes, message.right, signature.bytes),
  };
};

/** `signatures` again, with some of its places only. */
const signaturesAt = (signatures: Iterable<Signature>): JsonObject => {
  const servers = new Map<string, [string, string][]>();
  for (const { places } of signatures)
    for (const { server, keyId, text } of places) {
      const block = servers.get(server) ?? [];
      // In place: one signature may stand under as many key IDs as fit.
      block.push([keyId, text]);
      servers.set(server, block);
    }
  // `fromEntries` makes own members whatever they are called.
  return Object.fromEntries([...servers].map(([server, block]) => [server, Object.fromEntries(block)]));
};

/**
 * The proof that `signed` gives for the third-party invite whose content is `content`: **every** key of that event
 * that verifies any signature, each with its validity URL, so that whoever makes the member event can ask after
 * them, and the signatures that verified. The order of signatures and keys never matters;
 * what is malformed is passed over. Size and distinct pairs are counted before any pair is tried. Takes unchecked JSON
 * and never throws.
 *
 * One signature by one key of the third-party invite is enough: https://spec.matrix.org/v1.19/server-server-api/#verifying-the-invite
 *
 * @example
 * proveInvite({ crypto: nodeCrypto, version }, signed, tokenEvent.content); // { _tag: "Proven", keys: [{ publicKey: "…", … }], … }
 */
export const proveInvite = (context: ProofContext, signed: JsonObject, content: JsonObject): Proof => {
  const sought = search(context, signed, content);
  const against = untried(sought, context.maxPairs);
  if (against !== undefined) return against;
  const { keys, signatures, matches } = sought;
  const matched = new Set<Signature>();
  const proven = keys.filter((key) => {
    const by = signatures.filter((signature) => matches(key, signature));
    by.forEach((signature) => matched.add(signature));
    return by.length > 0;
  });
  return proven.length === 0
    ? { _tag: "NotProven" }
    : {
        _tag: "Proven",
        keys: proven.flatMap(({ written }) =>
          written.map(({ publicKey, holder }) => ({ publicKey, validity: readValidity(holder) })),
        ),
        signatures: signaturesAt(matched),
      };
};

/**
 * Whether any pair matches: what the judge of a received event needs to know, and not a verification more.
 *
 * One signature by one key of the third-party invite is enough: https://spec.matrix.org/v1.19/server-server-api/#verifying-the-invite
 */
export const isProven = (
  context: ProofContext,
  signed: JsonObject,
  content: JsonObject,
): boolean | Untried => {
  const sought = search(context, signed, content);
  const against = untried(sought, context.maxPairs);
  if (against !== undefined) return against;
  const { keys, signatures, matches } = sought;
  return keys.some((key) => signatures.some((signature) => matches(key, signature)));
};

/** Whether a third-party invite has been emptied or redacted: it names no key at all. */
export const isRevoked = (content: JsonObject): boolean =>
  !hasMember(content, "public_key") && !hasMember(content, "public_keys");
