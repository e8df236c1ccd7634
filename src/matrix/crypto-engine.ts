/**
 * The cryptography that the library is given: one explicit value, synchronous, without a default. `nodeCrypto` from
 * `matrix-third-party-invites/node` is the fast one, `libsodiumCrypto` from `matrix-third-party-invites/libsodium` the
 * one for WebAssembly, `portableCrypto` from `matrix-third-party-invites/portable` runs everywhere.
 */
export interface CryptoEngine {
  /**
   * Plain Ed25519 verification of RFC 8032 without the cofactor; `publicKey` has 32 bytes, `signature` 64. The core
   * asks only for keys and signatures that passed its own precheck, so engines that differ on odd ones still agree.
   */
  readonly verify: (publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array) => boolean;
  readonly sha256: (data: Uint8Array) => Uint8Array;
  readonly hmacSha256: (key: Uint8Array, data: Uint8Array) => Uint8Array;
}

/** A key that signs. `keyId` is written in full, `ed25519:…`; `sign` gives 64 bytes. */
export interface SigningKey {
  readonly keyId: string;
  readonly publicKey: Uint8Array;
  readonly sign: (message: Uint8Array) => Uint8Array;
}
