import { verifyJson } from "matrix-third-party-invites";
import { nodeCrypto } from "matrix-third-party-invites/node";
import { ports, serverKeys, sessions } from "./ports.js";

const denied = (status, errcode, error) => ({ _tag: "Denied", status, body: { errcode, error } });

export const authenticateUser = async (request) => {
  const token = /^Bearer (.+)$/i.exec(request.headers.get("authorization") ?? "")?.[1];
  if (token === undefined) return denied(401, "M_MISSING_TOKEN", "There is no access token.");
  const requester = sessions.get(token); // { userId, isGuest?, isSuspended? }
  if (requester === undefined) return denied(401, "M_UNKNOWN_TOKEN", "The access token is not known.");
  return { _tag: "User", requester };
};

export const authenticateServer = async (request, content) => {
  const header = request.headers.get("authorization") ?? "";
  const { origin, destination, key, sig } = /^X-Matrix /i.test(header) ? parameters(header) : {};
  const no = denied(401, "M_UNAUTHORIZED", "The request is not signed by the server that it names.");
  const { pathname, search } = new URL(request.url);
  if (origin === undefined || (destination ?? ports.config.serverName) !== ports.config.serverName) return no;
  const signed = {
    method: request.method,
    uri: pathname + search,
    origin,
    destination: ports.config.serverName,
    content,
    signatures: { [origin]: { [key]: sig } },
  };
  const publicKey = serverKeys.get(`${origin} ${key}`);
  if (publicKey === undefined) return no;
  const verified = verifyJson(nodeCrypto, signed, { entity: origin, keyId: key, publicKey });
  return verified._tag === "Right" ? { _tag: "Server", origin } : no;
};

const parameters = (header) =>
  Object.fromEntries(
    [...header.matchAll(/([a-z]+)=(?:"([^"]*)"|([^",\s]*))/g)].map(([, name, quoted, bare]) => [
      name,
      quoted ?? bare,
    ]),
  );
