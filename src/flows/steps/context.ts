import type { CryptoEngine } from "../../matrix/crypto-engine.js";
import type { Ports } from "../../ports.js";
import type { ProcessMemory } from "./process-memory.js";

/** What every flow has, whatever else it names. */
type Common = "config" | "observe";

/** What a running flow has: the ports that it named, and what stops it. */
export interface Context<Needs extends keyof Ports = never> {
  readonly ports: Pick<Ports, Needs | Common>;
  readonly signal: AbortSignal | undefined;
  readonly memory: ProcessMemory;
}

/** The same flow where the caller can stop it no longer: a mail is out, or a note would be lost. */
export const uncancelled = <C extends Context>(context: C): C => ({ ...context, signal: undefined });

/**
 * An engine that verifies each distinct signature once: a flow that decides again, on a newer state, asks for the same
 * verification.
 */
export const rememberVerifications = (crypto: CryptoEngine): CryptoEngine => {
  const known: { readonly given: readonly Uint8Array[]; readonly verified: boolean }[] = [];
  return {
    sha256: (data) => crypto.sha256(data),
    hmacSha256: (key, data) => crypto.hmacSha256(key, data),
    verify: (...given) => {
      const found = known.find((one) => one.given.every((bytes, at) => sameBytes(bytes, given[at])));
      if (found !== undefined) return found.verified;
      const verified = crypto.verify(...given);
      known.push({ given, verified });
      return verified;
    },
  };
};

const sameBytes = (one: Uint8Array, other: Uint8Array | undefined): boolean =>
  one.length === other?.length && one.every((byte, at) => byte === other[at]);
