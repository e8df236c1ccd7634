import { type Either, isLeft, mapLeft } from "fp-ts/lib/Either.js";
import { encodeBase64 } from "../../matrix/base64.js";
import type { JsonObject } from "../../matrix/json.js";
import { signJson } from "../../matrix/signed-json.js";
import { type Handler, done } from "./answer.js";
import { type Fault, fault } from "./fault.js";
import { texts } from "./request.js";
import { type IdentityState, keyId } from "./state.js";

/** The long-term public key as this server writes it: unpadded, in the standard alphabet. */
export const longTermKey = (state: IdentityState): string => encodeBase64(state.key.publicKey);

/** Signs with the long-term key, under the server's name. */
export const signAsServer = (state: IdentityState, object: JsonObject): Either<Fault, JsonObject> =>
  mapLeft((): Fault => ({ status: 500, errcode: "M_UNKNOWN", error: "Internal Server Error", more: {} }))(
    signJson(object, state.serverName, state.key),
  );

/** `GET /pubkey/{keyId}`: there is one key, `ed25519:0`; any other name is 404 `M_NOT_FOUND`. */
export const publicKey =
  (wanted: string): Handler =>
  ({ state }) =>
    wanted === keyId
      ? done(state, { public_key: longTermKey(state) })
      : fault(404, "M_NOT_FOUND", "The public key was not found");

const validity =
  (isValid: (state: IdentityState, key: string) => boolean): Handler =>
  ({ state, request }) => {
    const query = texts(request.query, ["public_key"]);
    return isLeft(query) ? query : done(state, { valid: isValid(state, query.right.public_key) });
  };

/** `GET /pubkey/isvalid`: the long-term key of today and no other. Compares texts, not keys. */
export const longTermKeyValidity: Handler = validity((state, key) => key === longTermKey(state));

/** `GET /pubkey/ephemeral/isvalid`: a key exactly as store-invite wrote it, for ever. */
export const ephemeralKeyValidity: Handler = validity((state, key) => state.ephemeralKeys.has(key));
