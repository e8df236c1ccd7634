import { createPublicKey, verify } from "node:crypto";
import sodium from "libsodium-wrappers";
import { libsodiumCrypto } from "matrix-third-party-invites/libsodium";
import { publicKeyBytes, signatureBytes, verifySignature } from "matrix-third-party-invites/matrix";
import { nodeCrypto } from "matrix-third-party-invites/node";
import type { CryptoEngine } from "matrix-third-party-invites/ports";
import { portableCrypto } from "matrix-third-party-invites/portable";
import nacl from "tweetnacl";
import { type Figure, compared } from "./figure.js";
import { type Comparison, batchOf, ratio, turn } from "./harness.js";
import { type Sample, samples } from "./inputs.js";

await sodium.ready;

/** A verification without this library. What can be made before, is: for OpenSSL a key object. */
export type BareVerify = (from: Sample) => () => boolean;

export const bareNode: BareVerify = ({ proof: { publicKey, message, signature } }) => {
  const jwk = { kty: "OKP", crv: "Ed25519", x: Buffer.from(publicKey).toString("base64url") };
  const key = createPublicKey({ key: jwk, format: "jwk" });
  return () => verify(null, message, key, signature);
};

export const barePortable: BareVerify =
  ({ proof: { publicKey, message, signature } }) =>
  () =>
    nacl.sign.detached.verify(message, signature, publicKey);

const bareLibsodium: BareVerify =
  ({ proof: { publicKey, message, signature } }) =>
  () =>
    sodium.crypto_sign_verify_detached(signature, message, publicKey);

/** As the library verifies: the check of the bytes, then the engine. */
const checked =
  (crypto: CryptoEngine) =>
  ({ proof: { publicKey, message, signature } }: Sample): boolean => {
    const [key, bytes] = [publicKeyBytes(publicKey), signatureBytes(signature)];
    return key !== undefined && bytes !== undefined && verifySignature(crypto, key, message, bytes);
  };

const verifyOverBare = (crypto: CryptoEngine, bare: BareVerify, rounds: number): Comparison => {
  const from = samples(8).map((each) => ({ each, run: bare(each) }));
  const verifyWith = checked(crypto);
  return {
    size: 1,
    warmUp: Math.ceil(rounds / 4),
    rounds,
    prepare: (round) => {
      const now = turn(from, 1, round);
      return {
        measured: batchOf(now, ({ each }) => verifyWith(each), Boolean),
        against: batchOf(now, ({ run }) => run(), Boolean),
      };
    },
  };
};

/** One verification of each engine over one of what it calls. */
export const engineFigures: readonly Figure[] = [
  compared(
    { name: "verifyOverBare.node", unit: "ratio", target: 1.1 },
    () => verifyOverBare(nodeCrypto, bareNode, 3000),
    ratio,
  ),
  compared(
    { name: "verifyOverBare.libsodium", unit: "ratio", target: 1.2 },
    () => verifyOverBare(libsodiumCrypto(sodium), bareLibsodium, 2000),
    ratio,
  ),
  compared(
    { name: "verifyOverBare.portable", unit: "ratio", target: 1.1 },
    () => verifyOverBare(portableCrypto, barePortable, 300),
    ratio,
  ),
];
