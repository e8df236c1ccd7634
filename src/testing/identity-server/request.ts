import { type Either, isLeft, right } from "fp-ts/lib/Either.js";
import { hasMember, isJsonObject, stringMember, type JsonObject } from "../../matrix/json.js";
import type { ServerName } from "../../matrix/ids.js";
import { type Fault, fault } from "./fault.js";

/** What a user hands over to register: a token that their homeserver can tell the owner of. */
export interface OpenIdToken {
  readonly accessToken: string;
  readonly serverName: ServerName;
}

/** What the homeserver said of an OpenID token. */
export type OpenIdAnswer =
  | { readonly _tag: "Subject"; readonly userId: string }
  | { readonly _tag: "NoSubject" }
  | { readonly _tag: "Unreachable" };

/** A request, freed of HTTP. */
export interface IdentityRequest {
  readonly method: string;
  /** The path as it was sent: percent-encoded, without the query. */
  readonly path: string;
  /** Decoded; of a name that comes twice the first value. */
  readonly query: Readonly<Record<string, string>>;
  /** The bearer token of the `Authorization` header; there is no other way to send one. */
  readonly token: string | undefined;
  /** Parsed JSON, or `undefined` where there is none or it is malformed. */
  readonly body: unknown;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** The answer to an `AskHomeserver`, when the request comes for the second time. */
  readonly openId?: OpenIdAnswer;
}

/** The body as an object that has all of these members, of whatever type. */
export const withMembers = (body: unknown, names: readonly string[]): Either<Fault, JsonObject> => {
  if (!isJsonObject(body)) return fault(400, "M_BAD_JSON", "Malformed JSON");
  const missing = names.filter((name) => !hasMember(body, name));
  return missing.length > 0
    ? fault(400, "M_MISSING_PARAMS", `Missing parameters: ${missing.join(",")}`)
    : right(body);
};

/**
 * The members of these names, which must all be there and all be texts.
 *
 * @example
 * texts({ sid: "1", token: "a" }, ["sid", "token"]); // right({ sid: "1", token: "a" })
 */
export const texts = <Name extends string>(
  body: unknown,
  names: readonly Name[],
): Either<Fault, Readonly<Record<Name, string>>> => {
  const object = withMembers(body, names);
  if (isLeft(object)) return object;
  const found: Record<string, string> = {};
  for (const name of names) {
    const value = stringMember(object.right, name);
    if (value === undefined) return fault(400, "M_INVALID_PARAM", `${name} must be a string`);
    found[name] = value;
  }
  return right(found as Readonly<Record<Name, string>>);
};

const clientSecret = /^[0-9a-zA-Z.=_-]{1,255}$/;

/** The texts of these names, of which `client_secret` must keep to its alphabet. */
export const textsWithSecret = <Name extends string>(
  body: unknown,
  names: readonly (Name | "client_secret")[],
): Either<Fault, Readonly<Record<Name | "client_secret", string>>> => {
  const found = texts(body, names);
  if (isLeft(found)) return found;
  return clientSecret.test(found.right.client_secret)
    ? found
    : fault(400, "M_INVALID_PARAM", "Invalid client_secret provided");
};
