import type { CryptoEngine, SigningKey } from "matrix-third-party-invites/ports";
import { nodeCrypto, nodeSigningKey } from "matrix-third-party-invites/node";

const maxRemembered = 20_000;

const textOf = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");

/** The verifying part of an engine, with its answers remembered: many servers judge the same event. */
const remembering = (engine: CryptoEngine): CryptoEngine => {
  const known = new Map<string, boolean>();
  return {
    ...engine,
    verify: (publicKey, message, signature) => {
      const name = textOf(publicKey) + textOf(signature) + textOf(message);
      const before = known.get(name);
      if (before !== undefined) return before;
      const verified = engine.verify(publicKey, message, signature);
      if (known.size >= maxRemembered) known.clear();
      known.set(name, verified);
      return verified;
    },
  };
};

export const crypto: CryptoEngine = remembering(nodeCrypto);

const pool = new Map<number, SigningKey>();

/** How many different keys there are; to make one takes as long as a life. */
export const poolSize = 96;

/** A key of the pool, the same under its number in every run and every process. */
export const pooledKey = (number: number): SigningKey => {
  const index = number % poolSize;
  const made = pool.get(index);
  if (made !== undefined) return made;
  const key = nodeSigningKey("ed25519:0", new Uint8Array(32).fill(7).fill(index, 0, 1));
  pool.set(index, key);
  return key;
};
