import { type Either, isLeft, isRight } from "fp-ts/lib/Either.js";
import type { PortFailure, Refusal } from "matrix-third-party-invites";
import {
  encodeBase64,
  parseRoomId,
  parseServerName,
  parseThreepid,
  parseUserId,
  signJson,
} from "matrix-third-party-invites/matrix";
import type { JsonObject, Profile, SigningKey, Threepid } from "matrix-third-party-invites/ports";
import { nodeSigningKey } from "matrix-third-party-invites/node";

export const must = <A>(made: Either<unknown, A>): A => {
  if (isLeft(made)) throw new Error(`Not a right: ${JSON.stringify(made.left)}`);
  return made.right;
};

/** What a flow said no with. */
export const problemOf = (result: Either<Refusal | PortFailure, unknown>): Refusal | PortFailure => {
  if (isRight(result)) throw new Error(`Not a left: ${JSON.stringify(result.right)}`);
  return result.left;
};

export const codeOf = (result: Either<Refusal | PortFailure, unknown>): string =>
  isLeft(result) ? result.left.code : "right";

export const alice = must(parseUserId("@alice:a.example"));
/** Of our server too. */
export const anna = must(parseUserId("@anna:a.example"));
/** Of another server. */
export const bob = must(parseUserId("@bob:b.example"));
export const carol = must(parseUserId("@carol:c.example"));
export const room = must(parseRoomId("!garden"));
export const aServer = "a.example";
export const idServer = must(parseServerName("id.example"));

export interface FakeUser {
  readonly profile?: Profile;
  readonly blocksInvites?: boolean;
}

const keyOf = (seed: number): { readonly key: SigningKey; readonly publicKey: string } => {
  const key = nodeSigningKey("ed25519:0", new Uint8Array(32).fill(seed));
  return { key, publicKey: encodeBase64(key.publicKey) };
};

export const longTerm = keyOf(11);
/** In the URL-safe alphabet, as real identity servers write it. */
export const ephemeral = (() => {
  const { key } = keyOf(12);
  return { key, publicKey: encodeBase64(key.publicKey, "urlsafe") };
})();
export const stranger = keyOf(13);

export const validityUrl = "https://id.example/isvalid";
export const ephemeralUrl = "https://id.example/ephemeral/isvalid";
export const urlFor = (url: string, publicKey: string): string =>
  `${url}?public_key=${encodeURIComponent(publicKey)}`;

/** The content of a third-party invite as this library makes it. */
export const pendingContent = (more: JsonObject = {}): JsonObject => ({
  display_name: "zo...@ex...",
  public_key: longTerm.publicKey,
  key_validity_url: validityUrl,
  public_keys: [
    { public_key: longTerm.publicKey, key_validity_url: validityUrl },
    { public_key: ephemeral.publicKey, key_validity_url: ephemeralUrl },
  ],
  ...more,
});

export const signedBy = (
  mxid: string,
  token: string,
  by: { readonly key: SigningKey } = longTerm,
  more: JsonObject = {},
): JsonObject => must(signJson({ mxid, token, ...more }, "id.example", by.key));

export const threepid = (medium: "email" | "msisdn", address: string): Threepid =>
  must(parseThreepid(medium, address));

export const address = "zoe@example.org";

/** The body of a client's request to invite Zoë by her address. */
export const invite = (more: JsonObject = {}): JsonObject => ({
  id_server: "id.example",
  id_access_token: "secret-token",
  medium: "email",
  address,
  ...more,
});

/** What a client names of that invite to revoke it. */
export const addressee = (more: JsonObject = {}): JsonObject => ({
  id_server: "id.example",
  medium: "email",
  address,
  ...more,
});
