import { createRequire } from "node:module";
import { canonicalize as jsonCanonicalize } from "json-canonicalize";
import canonicalize from "canonicalize";
import { hashes, verify } from "@noble/ed25519";
import { sha512 } from "@noble/hashes/sha2.js";
import sodium from "libsodium-wrappers";

/** Writes canonical JSON, or throws. */
export type Writer = (value: unknown) => string;
/** Says whether a signature is good; may throw where it is not. */
export type Verifier = (publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array) => boolean;

const asText = (written: unknown): string => {
  if (typeof written !== "string") throw new TypeError("Nothing was written.");
  return written;
};

/** `another-json` has no types. */
const anotherJson = (): Writer => {
  const loaded: unknown = createRequire(import.meta.url)("another-json");
  const stringify: unknown =
    typeof loaded === "object" && loaded !== null && "stringify" in loaded ? loaded.stringify : undefined;
  if (typeof stringify !== "function") throw new TypeError("another-json is not what it was.");
  return (value) => asText(Reflect.apply(stringify, undefined, [value]));
};

export const writers: Readonly<Record<string, Writer>> = {
  "another-json": anotherJson(),
  canonicalize: (value) => asText(canonicalize(value)),
  "json-canonicalize": (value) => asText(jsonCanonicalize(value)),
};

/** Both have to be made ready first. */
export const verifiers = async (): Promise<Readonly<Record<string, Verifier>>> => {
  hashes.sha512 = sha512;
  await sodium.ready;
  return {
    "@noble/ed25519": (publicKey, message, signature) => verify(signature, message, publicKey),
    "libsodium-wrappers": (publicKey, message, signature) =>
      sodium.crypto_sign_verify_detached(signature, message, publicKey),
  };
};
