import { readFileSync } from "node:fs";
import type { JsonObject } from "../../src/matrix/json.js";

/** How firmly the specification decides a crafted case; of an `unclear` one only an answer is required. */
export type Clarity = "clear" | "should" | "unclear";

interface Signer {
  readonly entity: string;
  readonly keyId: string;
  readonly publicKey: string;
}

/** What a line of each file in `test/fixtures/vectors` holds, as far as the tests read it. */
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

/** The cases of one file. Line by line with `JSON.parse`, so that an own `__proto__` survives. */
export const vectors = <Name extends keyof Vectors>(name: Name): readonly Vectors[Name][] =>
  readFileSync(new URL(`../fixtures/vectors/${name}.jsonl`, import.meta.url), "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Vectors[Name]);
