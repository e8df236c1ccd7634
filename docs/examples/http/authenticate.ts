import type { AuthenticatedServer, AuthenticatedUser, Denied } from "matrix-third-party-invites/http";
import { parseXMatrix, verifyRequest } from "matrix-third-party-invites/matrix";
import { nodeCrypto } from "matrix-third-party-invites/node";
import { ports, serverKeys, sessions } from "./ports.js";

const denied = (status: number, errcode: string, error: string): Denied => ({
  _tag: "Denied",
  status,
  body: { errcode, error },
});

export const authenticateUser = (request: Request): AuthenticatedUser => {
  const token = /^Bearer (.+)$/i.exec(request.headers.get("authorization") ?? "")?.[1];
  if (token === undefined) return denied(401, "M_MISSING_TOKEN", "There is no access token.");
  const requester = sessions.get(token); // { userId, isGuest?, isSuspended? }
  if (requester === undefined) return denied(401, "M_UNKNOWN_TOKEN", "The access token is not known.");
  return { _tag: "User", requester };
};

/** `content` is the parsed body; a GET, such as make_join, has none, and signs none. */
export const authenticateServer = (request: Request, content?: unknown): AuthenticatedServer => {
  const no = denied(401, "M_UNAUTHORIZED", "The request is not signed by the server that it names.");
  const header = parseXMatrix(request.headers.get("authorization"));
  if (header._tag === "Left") return no;
  const { origin, keyId } = header.right;
  const publicKey = serverKeys.get(`${origin} ${keyId}`);
  if (publicKey === undefined) return no;
  const { pathname, search } = new URL(request.url);
  const signed = {
    method: request.method,
    uri: pathname + search,
    destination: ports.config.serverName,
    content,
  };
  const verified = verifyRequest(nodeCrypto, header.right, signed, publicKey);
  return verified._tag === "Right" ? { _tag: "Server", origin } : no;
};
