import { isLeft } from "fp-ts/lib/Either.js";
import { decodeBase64 } from "../../matrix/base64.js";
import { parseUserId } from "../../matrix/ids.js";
import { signJson } from "../../matrix/signed-json.js";
import { type UserHandler, done } from "./answer.js";
import { fault } from "./fault.js";
import { texts } from "./request.js";
import { newSigningKey } from "./state.js";

/**
 * `POST /sign-ed25519`: signs `mxid`, `sender` and `token` with the private key of the request, a
 * seed of 32 bytes in either base64 alphabet, under this server's name and `ed25519:0`. As with Sydent, neither the
 * user nor the key need belong to the invite. A key that is none is 400 `M_INVALID_PARAM`.
 */
export const signEd25519: UserHandler = ({ state, request }) => {
  const body = texts(request.body, ["private_key", "token", "mxid"]);
  if (isLeft(body)) return body;
  const { private_key, token } = body.right;
  const invite = state.invites.get(token);
  if (invite === undefined) return fault(404, "M_UNRECOGNIZED", "Didn't recognize token");
  const mxid = parseUserId(body.right.mxid);
  if (isLeft(mxid)) return fault(400, "M_INVALID_PARAM", "mxid must be a Matrix user ID");
  const seed = decodeBase64(private_key);
  if (seed?.length !== 32)
    return fault(400, "M_INVALID_PARAM", "private_key must be 32 bytes in unpadded base64");
  const object = { mxid: mxid.right, sender: invite.sender, token };
  const signed = signJson(object, state.serverName, newSigningKey(seed));
  return isLeft(signed) ? fault(500, "M_UNKNOWN", "Internal Server Error") : done(state, signed.right);
};
