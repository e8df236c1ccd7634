import sodium from "libsodium-wrappers";
import { libsodiumCrypto, libsodiumSigningKey } from "matrix-third-party-invites/libsodium";
import { nodeCrypto, nodeSigningKey } from "matrix-third-party-invites/node";
import { portableCrypto, portableSigningKey } from "matrix-third-party-invites/portable";
import type { Engine } from "./case.js";

await sodium.ready;

/** The slower ones take a few or a hundred times as long; of them a spread of bits will do. */
export const engines: readonly Engine[] = [
  { name: "node", crypto: nodeCrypto, signingKey: nodeSigningKey, bitStep: 1 },
  {
    name: "libsodium",
    crypto: libsodiumCrypto(sodium),
    signingKey: (keyId, seed) => libsodiumSigningKey(sodium, keyId, seed),
    bitStep: 5,
  },
  { name: "portable", crypto: portableCrypto, signingKey: portableSigningKey, bitStep: 17 },
];
