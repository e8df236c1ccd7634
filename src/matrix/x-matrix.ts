import { type Either, isLeft, left, map, right } from "fp-ts/lib/Either.js";
import type { NotCanonicalJson } from "./canonical-json.js";
import type { CryptoEngine, SigningKey } from "./crypto-engine.js";
import { type ServerName, parseServerName } from "./ids.js";
import { type JsonObject, member, stringMember } from "./json.js";
import { type NotSigned, isEd25519, signJson, verifyJson } from "./signed-json.js";

/** A request between two servers, with what its signature covers. */
export interface ServerRequest {
  /** In capitals, such as `PUT`. */
  readonly method: string;
  /** The path and the query as they are sent, percent-encoding included. */
  readonly uri: string;
  readonly origin: string;
  readonly destination: string;
  /** The parsed JSON body; left out where the request has none. A GET signs no `content` at all. */
  readonly content?: unknown;
}

/** What an `Authorization: X-Matrix` header says, unproven. */
export interface XMatrix {
  readonly origin: ServerName;
  /** Left out by servers older than version 1.3 of the specification. */
  readonly destination?: ServerName;
  readonly keyId: string;
  readonly signature: string;
}

/** The header is no `X-Matrix` authorization, or not a whole one. */
export interface NotXMatrix {
  readonly _tag: "NotXMatrix";
}

/** Why a request is not signed by the server that it names. */
export type RequestNotSigned = NotSigned | { readonly _tag: "OtherDestination" };

const unsigned = ({ method, uri, origin, destination, content }: ServerRequest): JsonObject => ({
  method,
  uri,
  origin,
  destination,
  ...(content === undefined ? {} : { content }),
});

const quoted = (value: string): string => `"${value.replace(/["\\]/g, "\\$&")}"`;

/**
 * The `Authorization` header of a request to another server.
 *
 * A server signs the method, the URI, both names and the content: https://spec.matrix.org/v1.19/server-server-api/#request-authentication
 *
 * @example
 * signRequest({ method: "GET", uri: "/_matrix/federation/v1/version", origin, destination }, key);
 * // right('X-Matrix origin="example.org",destination="far.example",key="ed25519:1",sig="…"')
 */
export const signRequest = (request: ServerRequest, key: SigningKey): Either<NotCanonicalJson, string> => {
  const { origin, destination } = request;
  return map((signed: JsonObject) => {
    const sig = stringMember(member(member(signed, "signatures"), origin), key.keyId) ?? "";
    const parameters = { origin, destination, key: key.keyId, sig };
    const written = Object.entries(parameters).map(([name, value]) => `${name}=${quoted(value)}`);
    return `X-Matrix ${written.join(",")}`;
  })(signJson(unsigned(request), origin, key, "any"));
};

/** One parameter: a name, and a text that may be quoted. Older servers write colons and slashes without quotes. */
const parameter =
  /[\t ]*([\w!#$%&'*+.^`|~-]+)[\t ]*=[\t ]*(?:"((?:[^"\\]|\\[^])*)"|([^\s",]*))[\t ]*(?:,|$)/y;

const scheme = /[\t ]*x-matrix[\t ]+/iy;

type Parameters = ReadonlyMap<string, string>;

/**
 * The parameters of each credential by their names in small letters: a server signs with each of its keys, and several
 * headers of one name are one text with commas. `undefined` where the text is no list of them, or one is there twice.
 */
const credentialsIn = (text: string): readonly Parameters[] | undefined => {
  const found: Map<string, string>[] = [];
  let at = 0;
  while (at < text.length) {
    scheme.lastIndex = at;
    if (scheme.test(text)) {
      found.push(new Map());
      at = scheme.lastIndex;
    }
    parameter.lastIndex = at;
    const [, name = "", inQuotes, bare = ""] = parameter.exec(text) ?? [];
    at = parameter.lastIndex;
    const [key, current] = [name.toLowerCase(), found.at(-1)];
    if (key === "" || current === undefined || current.has(key)) return undefined;
    current.set(key, inQuotes === undefined ? bare : inQuotes.replace(/\\([^])/g, "$1"));
  }
  return found;
};

/** A header that is longer is not read: a few credentials of two names of 255 bytes, a key ID and a signature have room in it. */
const maxHeaderLength = 4_096;

const credentialOf = (found: Parameters): XMatrix | undefined => {
  const origin = parseServerName(found.get("origin"));
  const keyId = found.get("key");
  const signature = found.get("sig") ?? found.get("signature");
  const named = found.get("destination");
  if (isLeft(origin) || keyId === undefined || signature === undefined) return undefined;
  if (named === undefined) return { origin: origin.right, keyId, signature };
  const destination = parseServerName(named);
  return isLeft(destination)
    ? undefined
    : { origin: origin.right, destination: destination.right, keyId, signature };
};

/**
 * Reads an `Authorization` header. The scheme and the names of parameters have no case, values may be quoted with escapes,
 * and parameters that are not known are passed over. The signature's parameter is `sig`; `signature` is read as well. Of
 * several credentials, joined by commas, the first by an Ed25519 key counts; those of other algorithms are passed over.
 *
 * @example
 * parseXMatrix('X-Matrix origin="example.org",key="ed25519:1",sig="…"'); // right({ origin: "example.org", … })
 */
export const parseXMatrix = (header: unknown): Either<NotXMatrix, XMatrix> => {
  const found =
    typeof header === "string" && header.length <= maxHeaderLength ? credentialsIn(header) : undefined;
  const credentials = (found ?? []).map(credentialOf);
  const credential = credentials.find((one) => one !== undefined && isEd25519(one.keyId)) ?? credentials[0];
  return credential === undefined ? left({ _tag: "NotXMatrix" }) : right(credential);
};

/**
 * Checks that a received request is signed by the server that its header names, with that server's key `publicKey`.
 * `request.destination` is this server's own name; a header for another one is `OtherDestination`. Answer a failure with
 * 401; where the key cannot be had now, nothing is known and 401 is wrong.
 *
 * The signature covers the method, the URI, both names and the content: https://spec.matrix.org/v1.19/server-server-api/#request-authentication
 *
 * @example
 * const header = parseXMatrix(request.headers.get("authorization"));
 * verifyRequest(nodeCrypto, header.right, { method, uri, destination: ownName, content }, publicKey);
 */
export const verifyRequest = (
  crypto: CryptoEngine,
  { origin, destination, keyId, signature }: XMatrix,
  request: Omit<ServerRequest, "origin">,
  publicKey: Uint8Array,
): Either<RequestNotSigned, void> => {
  if (destination !== undefined && destination !== request.destination)
    return left({ _tag: "OtherDestination" });
  // The signed object has had a destination in every version; only the header's is newer.
  const signed = { ...unsigned({ ...request, origin }), signatures: { [origin]: { [keyId]: signature } } };
  return verifyJson(crypto, signed, { entity: origin, keyId, publicKey }, "any");
};
