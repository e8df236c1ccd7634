import { type Either, isLeft, right } from "fp-ts/lib/Either.js";
import { canonicalJson } from "../matrix/canonical-json.js";
import { type UserId, parseUserId } from "../matrix/ids.js";
import { type JsonObject, isJsonObject, member, stringMember } from "../matrix/json.js";
import { type Refusal, refuse } from "../refusal.js";
import { isTooLarge } from "./signed-size.js";

/**
 * A `signed` object: `json` is all of it exactly as it was received, since the signature covers every member;
 * `mxid` and `token` are read out of it.
 */
export interface Signed {
  readonly mxid: UserId;
  readonly token: string;
  readonly json: JsonObject;
}

/**
 * Reads `signed` out of unchecked JSON: its user, its token, that signatures are there at all, that an event can hold
 * it, and that it has a canonical form. Whoever receives one comes through here, so that nothing else is stored, hashed,
 * passed on or tried.
 *
 * `signed` has `mxid`, `token` and `signatures`: https://spec.matrix.org/v1.19/client-server-api/#mroommember
 */
export const parseSigned = (value: unknown, maxBytes?: number): Either<Refusal, Signed> => {
  if (!isJsonObject(value)) return refuse("NoSigned");
  const mxid = parseUserId(member(value, "mxid"));
  const token = stringMember(value, "token");
  if (isLeft(mxid) || token === undefined || token === "" || token.length > 255)
    return refuse("NoMxidOrToken");
  if (!isJsonObject(member(value, "signatures"))) return refuse("NotProven");
  if (isTooLarge(value, maxBytes)) return refuse("SignedTooLarge");
  // `JSON.parse` reads 1e999 as Infinity, and nests as deep as somebody likes: nobody can have signed that.
  if (isLeft(canonicalJson(value, "any"))) return refuse("NotProven");
  return right({ mxid: mxid.right, token, json: value });
};
