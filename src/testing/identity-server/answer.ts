import { type Either, right } from "fp-ts/lib/Either.js";
import type { UserId } from "../../matrix/ids.js";
import type { JsonObject } from "../../matrix/json.js";
import type { Effect } from "./effects.js";
import type { Random } from "./random-text.js";
import type { Fault } from "./fault.js";
import type { IdentityRequest, OpenIdToken } from "./request.js";
import type { IdentityState } from "./state.js";

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
