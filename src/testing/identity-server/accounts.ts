import { type Either, isLeft, right } from "fp-ts/lib/Either.js";
import { type UserId, parseServerName, parseUserId, serverOf } from "../../matrix/ids.js";
import { type Handler, type UserHandler, done } from "./answer.js";
import { type Fault, fault } from "./fault.js";
import { type Random, lettersAndDigits, randomText } from "./random-text.js";
import { type OpenIdAnswer, type OpenIdToken, texts } from "./request.js";
import { type IdentityState, withEntry, withoutEntry } from "./state.js";

/** A new access token for a user. A user may hold any number of them. */
export const withAccessToken = (
  state: IdentityState,
  user: UserId,
  random: Random,
): readonly [token: string, state: IdentityState] => {
  const token = randomText(random, 64, lettersAndDigits);
  return [token, { ...state, accounts: withEntry(state.accounts, token, user) }];
};

/** Whose access token this is; 401 `M_UNAUTHORIZED` where it is missing or unknown. */
export const authenticate = (state: IdentityState, token: string | undefined): Either<Fault, UserId> => {
  const user = token === undefined ? undefined : state.accounts.get(token);
  return user === undefined ? fault(401, "M_UNAUTHORIZED", "Unauthorized") : right(user);
};

const subjectOf = (openId: OpenIdToken, answer: OpenIdAnswer): Either<Fault, UserId> => {
  const refused = (error: string) => fault(500, "M_UNKNOWN", error);
  switch (answer._tag) {
    case "Unreachable":
      return refused("Unable to contact the Matrix homeserver");
    case "NoSubject":
      return refused("The Matrix homeserver did not include 'sub' in its response");
    case "Subject": {
      const user = parseUserId(answer.userId);
      if (isLeft(user)) return refused("The Matrix homeserver returned an invalid MXID");
      return serverOf(user.right) === openId.serverName
        ? user
        : refused("The Matrix homeserver returned a MXID belonging to another homeserver");
    }
  }
};

/**
 * `POST /account/register`: an OpenID token for an access token. The first time it asks for the owner of the OpenID
 * token, the second time, with that answer, it makes the account. The access token is answered under both names, the
 * specified `token` and Sydent's older `access_token`.
 */
export const register: Handler = ({ state, request, random }) => {
  const body = texts(request.body, ["matrix_server_name", "access_token"]);
  if (isLeft(body)) return body;
  const serverName = parseServerName(body.right.matrix_server_name);
  if (isLeft(serverName))
    return fault(
      400,
      "M_INVALID_PARAM",
      "matrix_server_name must be a valid Matrix server name (IP address or hostname)",
    );
  const openId: OpenIdToken = { accessToken: body.right.access_token, serverName: serverName.right };
  if (request.openId === undefined) return right({ _tag: "AskHomeserver", openId });
  const user = subjectOf(openId, request.openId);
  if (isLeft(user)) return user;
  const [token, registered] = withAccessToken(state, user.right, random);
  return done(registered, { access_token: token, token });
};

/** `GET /account`: whose token this is. */
export const account: UserHandler = ({ state }, user) => done(state, { user_id: user });

/**
 * `POST /account/logout`: forgets the token. The one endpoint that needs no body and that answers
 * `M_UNKNOWN_TOKEN` to an unknown token.
 */
export const logout: Handler = ({ state, request: { token } }) => {
  if (token === undefined) return fault(401, "M_UNAUTHORIZED", "Unauthorized");
  return state.accounts.has(token)
    ? done({ ...state, accounts: withoutEntry(state.accounts, token) }, {})
    : fault(401, "M_UNKNOWN_TOKEN", "Unrecognised access token");
};
