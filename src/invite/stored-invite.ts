import { type Either, isLeft, right } from "fp-ts/lib/Either.js";
import { decodeBase64 } from "../matrix/base64.js";
import { publicKeyBytes } from "../matrix/ed25519.js";
import type { Branded } from "../matrix/ids.js";
import { member, stringMember } from "../matrix/json.js";
import { type Refusal, refuse } from "../refusal.js";
import type { Threepid } from "../threepid/threepid.js";
import { safeDisplayName } from "./display-name.js";
import { isHttpsUrl } from "./key-validity.js";

/** A token of an identity server: 1 to 255 characters of `[0-9a-zA-Z.=_-]`. */
export type Token = Branded<string, "Token">;

/** A key that may sign the invite, with the URL that vouches for it, both as the identity server wrote them. */
export interface IdentityServerKey {
  readonly publicKey: string;
  readonly keyValidityUrl: string;
}

/** What an identity server answered to store-invite, checked: all that the room's event needs. */
export interface StoredInvite {
  readonly token: Token;
  /** The long-term key first; never empty. */
  readonly publicKeys: readonly [IdentityServerKey, ...IdentityServerKey[]];
  readonly displayName: string;
}

const token = /^[0-9A-Za-z.=_-]{1,255}$/;

/**
 * Reads a token of an identity server.
 *
 * A token has 1 to 255 characters of `[0-9a-zA-Z.=_-]`: https://spec.matrix.org/v1.19/identity-service-api/#post_matrixidentityv2store-invite
 */
export const parseToken = (value: unknown): Either<Refusal, Token> =>
  typeof value === "string" && token.test(value) ? right(value as Token) : refuse("TokenMalformed");

/** Real identity servers send two; far more would only make the event too large for the room. */
const maxKeys = 16;

const parseKey = (value: unknown): IdentityServerKey | undefined => {
  const publicKey = stringMember(value, "public_key");
  const keyValidityUrl = stringMember(value, "key_validity_url");
  if (publicKey === undefined || keyValidityUrl === undefined) return undefined;
  const bytes = decodeBase64(publicKey);
  const usable = bytes !== undefined && publicKeyBytes(bytes) !== undefined && isHttpsUrl(keyValidityUrl);
  return usable ? { publicKey, keyValidityUrl } : undefined;
};

/** Whether two texts spell one key, in whichever alphabet. */
const isPinned = (publicKey: string, pinnedKeys: readonly string[]): boolean => {
  const bytes = decodeBase64(publicKey)?.join();
  return pinnedKeys.some((pinned) => decodeBase64(pinned)?.join() === bytes);
};

/**
 * Checks an identity server's answer to store-invite before a room sees any of it: the token's characters and
 * length, keys of 32 usable bytes in either alphabet, https validity URLs (D-16). Members
 * beyond those, such as a top-level `public_key`, are not looked at. A `display_name` that is missing, or gives the
 * address away, is replaced by our own. Where keys are pinned, one of them must be among the answer's.
 *
 * The answer has `token`, `public_keys` and `display_name`: https://spec.matrix.org/v1.19/identity-service-api/#post_matrixidentityv2store-invite
 *
 * @example
 * parseStoredInvite(answer, threepid); // right({ token, publicKeys: [{ publicKey, keyValidityUrl }, …], displayName })
 */
export const parseStoredInvite = (
  answer: unknown,
  threepid: Threepid,
  pinnedKeys?: readonly string[],
): Either<Refusal, StoredInvite> => {
  const parsed = parseToken(member(answer, "token"));
  if (isLeft(parsed)) return parsed;
  const list = member(answer, "public_keys");
  if (!Array.isArray(list) || list.length > maxKeys) return refuse("KeysMalformed");
  const keys: IdentityServerKey[] = [];
  for (const item of list) {
    const key = parseKey(item);
    if (key === undefined) return refuse("KeysMalformed");
    keys.push(key);
  }
  const [first, ...rest] = keys;
  if (first === undefined) return refuse("KeysMalformed");
  if (pinnedKeys !== undefined && !keys.some(({ publicKey }) => isPinned(publicKey, pinnedKeys)))
    return refuse("KeyNotPinned");
  return right({
    token: parsed.right,
    publicKeys: [first, ...rest],
    displayName: safeDisplayName(stringMember(answer, "display_name"), threepid),
  });
};
