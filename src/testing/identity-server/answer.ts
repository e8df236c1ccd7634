import { type Either, left, right } from "fp-ts/lib/Either.js";
import type { UserId } from "../../matrix/ids.js";
import type { JsonObject } from "../../matrix/json.js";
import type { Effect } from "./effects.js";
import type { Random } from "./random-text.js";
import type { IdentityRequest, OpenIdToken } from "./request.js";
import type { IdentityState } from "./state.js";

/** The error codes that this server answers with (LOOK-5, LOOK-5a), and Sydent's for a malformed body. */
export type Errcode =
  | "M_BAD_JSON"
  | "M_FORBIDDEN"
  | "M_INVALID_EMAIL"
  | "M_INVALID_PARAM"
  | "M_INVALID_PEPPER"
  | "M_MISSING_PARAMS"
  | "M_NO_VALID_SESSION"
  | "M_NOT_FOUND"
  | "M_SESSION_EXPIRED"
  | "M_SESSION_NOT_VALIDATED"
  | "M_TERMS_NOT_SIGNED"
  | "M_THREEPID_IN_USE"
  | "M_TOKEN_INCORRECT"
  | "M_UNAUTHORIZED"
  | "M_UNKNOWN"
  | "M_UNKNOWN_TOKEN"
  | "M_UNRECOGNIZED";

/** A request that failed: what to answer. The state stays as it was. */
export interface Fault {
  readonly status: number;
  readonly errcode: Errcode;
  readonly error: string;
  /** Members of the body beside `errcode` and `error`. */
  readonly more: JsonObject;
}

export const fault = (
  status: number,
  errcode: Errcode,
  error: string,
  more: JsonObject = {},
): Either<Fault, never> => left({ status, errcode, error, more });

/** A request that was served: the state from now on, the body for status 200, and what is to be done. */
export interface Done {
  readonly _tag: "Done";
  readonly state: IdentityState;
  readonly body: JsonObject;
  readonly effects: readonly Effect[];
}

/** A request that cannot be answered before a homeserver has said whose OpenID token this is. */
export interface AskHomeserver {
  readonly _tag: "AskHomeserver";
  readonly openId: OpenIdToken;
}

export const done = (
  state: IdentityState,
  body: JsonObject,
  ...effects: readonly Effect[]
): Either<never, Done> => right({ _tag: "Done", state, body, effects });

/** What an endpoint is called with. */
export interface Call {
  readonly state: IdentityState;
  readonly request: IdentityRequest;
  readonly random: Random;
}

export type Handler = (call: Call) => Either<Fault, Done | AskHomeserver>;

/** An endpoint for users who have registered: `user` is who sent the access token. */
export type UserHandler = (call: Call, user: UserId) => Either<Fault, Done>;
