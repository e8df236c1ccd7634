import { type Either, isLeft, right } from "fp-ts/lib/Either.js";
import { account, authenticate, logout, register } from "./accounts.js";
import { type Handler, type UserHandler, done } from "./answer.js";
import { type Fault, fault } from "./fault.js";
import { bind, unbind } from "./bind.js";
import { ephemeralKeyValidity, longTermKeyValidity, publicKey } from "./keys.js";
import { hashDetails, lookup } from "./lookup.js";
import { getValidated3pid, requestToken, submitToken } from "./sessions.js";
import { signEd25519 } from "./sign-ed25519.js";
import { storeInvite } from "./store-invite.js";
import { acceptTerms, requireAccepted, terms } from "./terms.js";

/** For those who hold an access token. */
const withAccount =
  (handler: UserHandler): Handler =>
  (call) => {
    const user = authenticate(call.state, call.request.token);
    return isLeft(user) ? user : handler(call, user.right);
  };

/** For those who hold an access token and have accepted the terms. */
const withTerms = (handler: UserHandler): Handler =>
  withAccount((call, user) => {
    const accepted = requireAccepted(call.state, user);
    return isLeft(accepted) ? accepted : handler(call, user);
  });

/** `GET /_matrix/identity/v2`: the server is there. */
const ping: Handler = ({ state }) => done(state, {});

/** The versions of the specification whose identity service this is; of v1.20, which is not out, only that a token in the query is refused. */
const versionList = Array.from({ length: 19 }, (_, minor) => `v1.${minor + 1}`);

/** `GET /_matrix/identity/versions`. */
const versions: Handler = ({ state }) => done(state, { versions: versionList });

type Endpoint = ReadonlyMap<string, Handler>;

const get = (handler: Handler): Endpoint => new Map([["GET", handler]]);
const post = (handler: Handler): Endpoint => new Map([["POST", handler]]);

const base = "/_matrix/identity";
const v2 = `${base}/v2`;

/** The keys are found under the old API, too: that is where validity URLs lead. */
const keyPrefixes = [`${v2}/pubkey`, `${base}/api/v1/pubkey`];

const endpoints: ReadonlyMap<string, Endpoint> = new Map([
  [v2, get(ping)],
  [`${base}/versions`, get(versions)],
  [`${v2}/account`, get(withTerms(account))],
  [`${v2}/account/register`, post(register)],
  [`${v2}/account/logout`, post(logout)],
  [`${v2}/terms`, new Map([...get(terms), ...post(withAccount(acceptTerms))])],
  [`${v2}/hash_details`, get(withTerms(hashDetails))],
  [`${v2}/lookup`, post(withTerms(lookup))],
  [`${v2}/validate/email/requestToken`, post(withTerms(requestToken))],
  [`${v2}/validate/email/submitToken`, post(withTerms(submitToken))],
  [`${v2}/3pid/getValidated3pid`, get(withTerms(getValidated3pid))],
  [`${v2}/3pid/bind`, post(withTerms(bind))],
  [`${v2}/3pid/unbind`, post(withTerms(unbind))],
  [`${v2}/store-invite`, post(withTerms(storeInvite))],
  [`${v2}/sign-ed25519`, post(withTerms(signEd25519))],
  ...keyPrefixes.flatMap((prefix): [string, Endpoint][] => [
    [`${prefix}/isvalid`, get(longTermKeyValidity)],
    [`${prefix}/ephemeral/isvalid`, get(ephemeralKeyValidity)],
  ]),
]);

const decoded = (segment: string): string => {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
};

const keyEndpoint = (path: string): Endpoint | undefined => {
  const slash = path.lastIndexOf("/");
  const name = path.slice(slash + 1);
  return name !== "" && keyPrefixes.includes(path.slice(0, slash))
    ? get(publicKey(decoded(name)))
    : undefined;
};

/** Who serves this; 404 for a path and 405 for a method that are not known, both `M_UNRECOGNIZED`. */
export const route = (method: string, path: string): Either<Fault, Handler> => {
  const endpoint = endpoints.get(path) ?? keyEndpoint(path);
  if (endpoint === undefined) return fault(404, "M_UNRECOGNIZED", "Unrecognized request");
  const handler = endpoint.get(method);
  return handler === undefined ? fault(405, "M_UNRECOGNIZED", "Unrecognized request method") : right(handler);
};
