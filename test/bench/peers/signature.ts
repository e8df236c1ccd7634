import {
  canonicalJson,
  decodeBase64,
  publicKeyBytes,
  signatureBytes,
  verifySignature,
} from "matrix-third-party-invites/matrix";
import type { CryptoEngine } from "matrix-third-party-invites/ports";
import sodium from "libsodium-wrappers";
import { libsodiumCrypto } from "matrix-third-party-invites/libsodium";
import { nodeCrypto } from "matrix-third-party-invites/node";
import { portableCrypto } from "matrix-third-party-invites/portable";
import { vectors } from "../../matrix/vectors.js";
import type { Figure } from "../figure.js";
import { type Comparison, atEffort, batchOf, measure, ratio, summarise } from "../harness.js";
import { samples } from "../inputs.js";
import { type Verifier, verifiers } from "./packages.js";
import { type Trial, scoreOf } from "./score.js";

type Attempt = readonly [publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array];

const base64 = (text: string): Uint8Array => decodeBase64(text) ?? new Uint8Array();
const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "hex"));

const utf8 = (value: unknown): Uint8Array => {
  const written = canonicalJson(value);
  if (written._tag === "Left") throw new Error("A message cannot be written.");
  return new TextEncoder().encode(written.right);
};

/** What the servers of the network accept: honest signatures, changed ones, malleated ones, keys of small order. */
const trials = (): readonly Trial<Attempt, boolean>[] => [
  ...samples(16).map(({ proof }) => ({
    kind: "honest",
    input: [proof.publicKey, proof.message, proof.signature] as const,
    expected: true,
  })),
  ...vectors("ed25519").map(({ publicKeyHex, messageHex, signatureHex, expected }) => ({
    kind: "changed",
    input: [hex(publicKeyHex), hex(messageHex), hex(signatureHex)] as const,
    expected: expected === "valid",
  })),
  ...vectors("ed25519-odd").map(({ name, publicKey, message, signature, crypto }) => ({
    kind: name.includes("not reduced") ? "malleated" : "small order or not canonical",
    input: [base64(publicKey), utf8(message), base64(signature)] as const,
    expected: crypto.libsodium,
  })),
];

const oursWith =
  (crypto: CryptoEngine): Verifier =>
  (publicKey, message, signature) => {
    const key = publicKeyBytes(publicKey);
    const bytes = signatureBytes(signature);
    return key !== undefined && bytes !== undefined && verifySignature(crypto, key, message, bytes);
  };

const checking = (ours: Verifier, theirs: Verifier, rounds: number): Comparison => {
  const attempts = samples(8).map(({ proof }): Attempt => [proof.publicKey, proof.message, proof.signature]);
  const batch = (check: Verifier, round: number) =>
    batchOf(attempts.slice(round % attempts.length).slice(0, 1), (attempt) => check(...attempt), Boolean);
  return {
    size: 1,
    warmUp: Math.ceil(rounds / 4),
    rounds,
    prepare: (round) => ({ measured: batch(ours, round), against: batch(theirs, round) }),
  };
};

await sodium.ready;

const engines = { node: nodeCrypto, libsodium: libsodiumCrypto(sodium), portable: portableCrypto };

const names = ["@noble/ed25519", "libsodium-wrappers"];

export const signatureFigures: readonly Figure[] = names.flatMap((name) =>
  Object.entries(engines).map(([engine, crypto]): Figure => {
    const ours = oursWith(crypto);
    return {
      name: `peers.signature.${name}.${engine}`,
      unit: "ratio",
      // As `targetOver` says: of these two, libsodium is right on all. Over itself `verifyOverBare.libsodium` has the target.
      target: name === "libsodium-wrappers" && engine !== "libsodium" ? 1 : null,
      find: async (effort) => {
        const theirs = (await verifiers())[name];
        if (theirs === undefined) throw new Error(`There is no ${name}.`);
        const check = (by: Verifier) => scoreOf(trials(), (attempt: Attempt) => by(...attempt), false);
        const comparison = checking(ours, theirs, engine === "portable" ? 150 : 800);
        return {
          ...summarise(measure(atEffort(comparison, effort)).map(ratio)),
          theirs: check(theirs),
          ours: check(ours),
        };
      },
    };
  }),
);
