import type { AuthenticatedServer, AuthenticatedUser, Denied } from "matrix-third-party-invites/http";
import { verifyJson } from "matrix-third-party-invites/matrix";
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

export const authenticateServer = (request: Request, content: unknown): AuthenticatedServer => {
  const no = denied(401, "M_UNAUTHORIZED", "The request is not signed by the server that it names.");
  const header = request.headers.get("authorization") ?? "";
  if (!/^X-Matrix /i.test(header)) return no;
  const given = parameters(header);
  const [origin = "", keyId = "", sig = ""] = ["origin", "key", "sig"].map((name) => given.get(name));
  const destination = ports.config.serverName;
  const publicKey = serverKeys.get(`${origin} ${keyId}`);
  if (publicKey === undefined || (given.get("destination") ?? destination) !== destination) return no;

  const { pathname, search } = new URL(request.url);
  const signed = {
    method: request.method,
    uri: pathname + search,
    origin,
    destination,
    content,
    signatures: { [origin]: { [keyId]: sig } },
  };
  const verified = verifyJson(nodeCrypto, signed, { entity: origin, keyId, publicKey });
  return verified._tag === "Right" ? { _tag: "Server", origin } : no;
};

/** The parameters of an `X-Matrix` header. */
const parameters = (header: string): ReadonlyMap<string, string> =>
  new Map(
    [...header.matchAll(/([a-z]+)=(?:"([^"]*)"|([^",\s]*))/g)].map(([, name = "", quoted, bare = ""]) => [
      name,
      quoted ?? bare,
    ]),
  );
