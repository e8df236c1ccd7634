import { isLeft } from "fp-ts/lib/Either.js";
import type { JsonObject } from "../../matrix/json.js";
import type { AskHomeserver } from "./answer.js";
import type { Effect } from "./effects.js";
import type { Random } from "./random-text.js";
import type { IdentityRequest } from "./request.js";
import { route } from "./router.js";
import type { IdentityState } from "./state.js";

/** The answer to a request: what to send back, what the server knows from now on, and what it wants done. */
export interface Answer {
  readonly _tag: "Answer";
  readonly state: IdentityState;
  readonly status: number;
  readonly body: JsonObject;
  readonly effects: readonly Effect[];
}

/**
 * The identity server as a function: no clock, no network, and no chance but the bytes that it is given. Total: it
 * answers whatever the request holds. A failure leaves the state as it was and its body has `errcode` and `error`.
 *
 * `AskHomeserver` comes back from `/account/register` alone: find out whose the OpenID token is and call again with
 * the same request and `openId`, on the state of that moment.
 *
 * @example
 * const answer = handle(state, { method: "GET", path: "/_matrix/identity/v2", query: {}, … }, random);
 * // { _tag: "Answer", status: 200, body: {}, effects: [], state }
 */
export const handle = (
  state: IdentityState,
  request: IdentityRequest,
  random: Random,
): Answer | AskHomeserver => {
  // A browser's pre-flight: the headers, which HTTP adds, are all that it wants.
  if (request.method === "OPTIONS") return { _tag: "Answer", state, status: 200, body: {}, effects: [] };
  const handler = route(request.method, request.path);
  const outcome = isLeft(handler) ? handler : handler.right({ state, request, random });
  if (isLeft(outcome)) {
    const { status, errcode, error, more } = outcome.left;
    return { _tag: "Answer", state, status, body: { errcode, error, ...more }, effects: [] };
  }
  if (outcome.right._tag === "AskHomeserver") return outcome.right;
  return { ...outcome.right, _tag: "Answer", status: 200 };
};
