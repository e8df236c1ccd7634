import { parseServerName } from "../matrix/ids.js";
import { isRight } from "fp-ts/lib/Either.js";
import { hasMember, member } from "../matrix/json.js";

/** How the validity of a key in an `m.room.third_party_invite` is learnt. */
export type Validity =
  /** No URL stands beside it: valid indefinitely. */
  | { readonly _tag: "Forever" }
  /** Its URL, as it stands in the event. */
  | { readonly _tag: "Ask"; readonly url: string }
  /** What stands there is no https URL: nobody can ever vouch for this key. */
  | { readonly _tag: "Unaskable" };

const maxUrlLength = 2048;

const httpsUrl = /^https:\/\/([^/?#\s\p{Cc}]+)([/?#][^\s\p{Cc}]*)?$/iu;

/** Whether a text is an absolute https URL of a plain server: no credentials, no blanks, of sensible length. */
export const isHttpsUrl = (text: string): boolean => {
  const host = text.length <= maxUrlLength ? httpsUrl.exec(text)?.[1] : undefined;
  return isRight(parseServerName(host));
};

/** Reads `key_validity_url` beside a key. */
export const readValidity = (holder: unknown): Validity => {
  if (!hasMember(holder, "key_validity_url")) return { _tag: "Forever" };
  const url = member(holder, "key_validity_url");
  return typeof url === "string" && isHttpsUrl(url) ? { _tag: "Ask", url } : { _tag: "Unaskable" };
};

/**
 * The address to GET: the event's URL with `public_key` added, the key written exactly as it stands in the event and
 * percent-encoded. A query stays, a fragment goes.
 *
 * The key goes into the query as `public_key`: https://spec.matrix.org/v1.19/identity-service-api/#get_matrixidentityv2pubkeyisvalid
 *
 * @example
 * validityRequestUrl("https://id.example/isvalid", "a+b/c"); // "https://id.example/isvalid?public_key=a%2Bb%2Fc"
 */
export const validityRequestUrl = (url: string, publicKey: string): string => {
  const [bare = ""] = url.split("#", 1);
  // Half a surrogate pair cannot be percent-encoded; no key that decodes from base64 holds one.
  return `${bare}${bare.includes("?") ? "&" : "?"}public_key=${encodeURIComponent(publicKey.toWellFormed())}`;
};

/**
 * The same question to the identity service API v2, of a `key_validity_url` of v1; servers without v1 still hand those
 * out.
 *
 * @example
 * secondVersionOf("https://id.example/_matrix/identity/api/v1/pubkey/isvalid");
 * // "https://id.example/_matrix/identity/v2/pubkey/isvalid"
 */
export const secondVersionOf = (url: string): string | undefined =>
  /^[^?#]*\/_matrix\/identity\/api\/v1\/pubkey\/(?:ephemeral\/)?isvalid(?:\?|$)/.test(url)
    ? url.replace("/_matrix/identity/api/v1/pubkey/", "/_matrix/identity/v2/pubkey/")
    : undefined;
