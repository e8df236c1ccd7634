import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import type { JsonObject } from "../../src/matrix/json.js";

/** How firmly the specification decides a crafted case; of an `unclear` one only an answer is required. */
export type Clarity = "clear" | "should" | "unclear";

interface Signer {
  readonly entity: string;
  readonly keyId: string;
  readonly publicKey: string;
}

/** An event to be judged, and the state to judge it by. */
export interface Judged {
  readonly roomVersion: string;
  readonly state: readonly JsonObject[];
  readonly event: JsonObject;
}

/** What a case of each kind holds, as far as the tests read it. */
export interface Vectors {
  readonly "canonical-json": {
    readonly name: string;
    readonly mode: "transform" | "strict" | "legacy" | "is-canonical";
    readonly input: string;
    readonly expected: string | null;
    readonly clarity: Clarity;
  };
  readonly json: {
    readonly id: string;
    readonly class: string;
    readonly text: string;
    readonly specCanonical: string | null;
    readonly specUndefined?: true;
  };
  readonly base64: {
    readonly name: string;
    readonly input: string;
    readonly standardLenient: boolean;
    readonly keyDecoder: boolean;
    readonly bytesHex: string | null;
  };
  readonly ed25519: {
    readonly name: string;
    readonly publicKeyHex: string;
    readonly messageHex: string;
    readonly signatureHex: string;
    readonly expected: "valid" | "invalid";
    readonly clarity: Clarity;
  };
  readonly "ed25519-odd": {
    readonly id: string;
    readonly name: string;
    readonly publicKey: string;
    readonly message: JsonObject;
    readonly signature: string;
    readonly crypto: { readonly libsodium: boolean };
  };
  readonly sign: Signer & {
    readonly name: string;
    readonly seed: string;
    readonly object: JsonObject;
    readonly expected: JsonObject;
  };
  readonly verify: Signer & {
    readonly name: string;
    readonly object: JsonObject;
    readonly expected: "valid" | "invalid";
    readonly clarity: Clarity;
  };
  readonly signed: {
    readonly id: string;
    readonly class: string;
    readonly value: JsonObject;
    readonly server: string;
    readonly keyId: string;
    readonly seed: string;
    readonly publicKey: string;
    readonly signedValue: JsonObject;
    readonly verifies: boolean;
    readonly specUndefined?: true;
    readonly crypto?: { readonly libsodium: boolean };
  };
  readonly redaction: {
    readonly name: string;
    readonly roomVersion: string;
    readonly event: JsonObject;
    readonly expected: JsonObject;
    readonly clarity: Clarity;
  };
  readonly event: {
    readonly id: string;
    readonly class: string;
    readonly roomVersion: string;
    readonly event: JsonObject;
    readonly redacted: JsonObject;
    readonly contentHash: string;
    readonly referenceHash: string;
    readonly eventId: string;
    readonly roomId?: string;
    readonly specContentHash?: string;
    readonly specUndefined?: true;
  };
  readonly "event-hash": {
    readonly name: string;
    readonly roomVersion: string;
    readonly event: JsonObject;
    readonly contentHash: string;
    readonly contentHashOk: boolean;
    readonly referenceHash: string;
    readonly eventId: string | null;
    readonly originalEventId?: string;
    readonly sameIdAsOriginal?: boolean;
    readonly signatures?: readonly (Signer & { readonly expected: "valid" | "invalid" })[];
  };
  readonly "event-sign": Signer & {
    readonly name: string;
    readonly roomVersion: string;
    readonly seed: string;
    readonly event: JsonObject;
    readonly expectedContentHash: string;
    readonly expectedSignature: string;
  };
  readonly "required-signers": {
    readonly name: string;
    readonly roomVersion: string;
    readonly event: JsonObject;
    readonly expected: readonly string[];
    readonly clarity: Clarity;
  };
  readonly auth: Judged & {
    readonly id: string;
    readonly class: string;
    readonly specAllowed: boolean | null;
    readonly crypto?: { readonly libsodium: boolean };
  };
  readonly "auth-events": {
    readonly id: string;
    readonly class: string;
    readonly roomVersion: string;
    readonly event: JsonObject;
    readonly specTypes: readonly (readonly [string, string])[] | null;
  };
  readonly "auth-crafted": Judged & {
    readonly name: string;
    readonly expected: "allow" | "reject";
    readonly clarity: Clarity;
  };
  readonly "auth-events-crafted": {
    readonly name: string;
    readonly roomVersion: string;
    readonly event: JsonObject;
    readonly expected: readonly (readonly [string, string])[];
  };
  readonly lookup:
    | {
        readonly id: string;
        readonly kind: "hash";
        readonly address: string;
        readonly medium: "email" | "msisdn";
        readonly pepper: string;
        readonly sha256: string;
      }
    | {
        readonly id: string;
        readonly kind: "email";
        readonly input: string;
        readonly canonical: string;
        readonly specUndefined?: true;
      };
}

/** Where the cases stand: the file, and the list in it. Random cases are a line each. */
const places: Readonly<Record<keyof Vectors, readonly [file: string, list?: string]>> = {
  "canonical-json": ["peers/canonical-json.json.gz", "vectors"],
  json: ["corpus/json.jsonl.gz"],
  base64: ["peers/signed-json.json.gz", "base64"],
  ed25519: ["peers/signed-json.json.gz", "ed25519"],
  "ed25519-odd": ["odd/ed25519.jsonl.gz"],
  sign: ["peers/signed-json.json.gz", "sign"],
  verify: ["peers/signed-json.json.gz", "verify"],
  signed: ["corpus/signed.jsonl.gz"],
  redaction: ["peers/redaction.json.gz", "vectors"],
  event: ["corpus/event.jsonl.gz"],
  "event-hash": ["peers/event-hash.json.gz", "vectors"],
  "event-sign": ["peers/signed-json.json.gz", "eventSign"],
  "required-signers": ["peers/signed-json.json.gz", "requiredSigners"],
  auth: ["corpus/auth.jsonl.gz"],
  "auth-events": ["corpus/authEvents.jsonl.gz"],
  "auth-crafted": ["peers/auth-third-party-invite.json.gz", "vectors"],
  "auth-events-crafted": ["peers/auth-third-party-invite.json.gz", "authEventSelection"],
  lookup: ["corpus/lookup.jsonl.gz"],
};

/** The cases of one kind. `JSON.parse` keeps an own `__proto__`. */
export const vectors = <Name extends keyof Vectors>(name: Name): readonly Vectors[Name][] => {
  const [file, list] = places[name];
  const text = gunzipSync(readFileSync(new URL(`../fixtures/${file}`, import.meta.url))).toString();
  if (list !== undefined) return (JSON.parse(text) as Record<string, readonly Vectors[Name][]>)[list] ?? [];
  return text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Vectors[Name]);
};
