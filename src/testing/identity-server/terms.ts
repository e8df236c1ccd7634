import { type Either, isLeft, right } from "fp-ts/lib/Either.js";
import type { UserId } from "../../matrix/ids.js";
import { type JsonObject, member } from "../../matrix/json.js";
import { type Handler, type UserHandler, done } from "./answer.js";
import { type Fault, fault } from "./fault.js";
import { withMembers } from "./request.js";
import { type IdentityState, withEntry } from "./state.js";

/** The one policy there is, in two languages: to accept either is to accept it. */
const urlsOf = (state: IdentityState) => ({
  en: `${state.baseUrl}/terms/terms-of-service-1.0-en.html`,
  fr: `${state.baseUrl}/terms/terms-of-service-1.0-fr.html`,
});

const policiesOf = (state: IdentityState): JsonObject => {
  if (!state.requireTerms) return {};
  const { en, fr } = urlsOf(state);
  return {
    terms_of_service: {
      version: "1.0",
      en: { name: "Terms of Service", url: en },
      fr: { name: "Conditions d'utilisation", url: fr },
    },
  };
};

/** 403 `M_TERMS_NOT_SIGNED` as long as there are terms that the user has not accepted. */
export const requireAccepted = (state: IdentityState, user: UserId): Either<Fault, void> => {
  const accepted = state.accepted.get(user);
  return !state.requireTerms || Object.values(urlsOf(state)).some((url) => accepted?.has(url) === true)
    ? right(undefined)
    : fault(403, "M_TERMS_NOT_SIGNED", "Terms not signed");
};

/** `GET /terms`: what has to be accepted; no policies while the switch is off. */
export const terms: Handler = ({ state }) => done(state, { policies: policiesOf(state) });

const isText = (value: unknown): value is string => typeof value === "string";

/** `POST /terms`: adds to what the user has accepted before. */
export const acceptTerms: UserHandler = ({ state, request }, user) => {
  const body = withMembers(request.body, ["user_accepts"]);
  if (isLeft(body)) return body;
  const accepts = member(body.right, "user_accepts");
  if (!Array.isArray(accepts) || !accepts.every(isText))
    return fault(400, "M_INVALID_PARAM", "user_accepts must be a list of strings");
  const known: readonly string[] = state.requireTerms ? Object.values(urlsOf(state)) : [];
  const unknown = accepts.filter((url) => !known.includes(url));
  if (unknown.length > 0) return fault(400, "M_UNKNOWN", `Unrecognised URLs: ${unknown.join(", ")}`);
  const accepted = new Set([...(state.accepted.get(user) ?? []), ...accepts]);
  return done({ ...state, accepted: withEntry(state.accepted, user, accepted) }, {});
};
