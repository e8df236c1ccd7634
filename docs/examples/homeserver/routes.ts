import type { Context, Hono } from "hono";
import type { AuthenticatedServer, AuthenticatedUser, Denied } from "matrix-third-party-invites/http";
import { parseXMatrix, verifyRequest } from "matrix-third-party-invites/matrix";
import { nodeCrypto } from "matrix-third-party-invites/node";
import { json } from "./answers.js";
import type { Homeserver } from "./homeserver.js";
import { parseJson } from "./json.js";

const denied = (status: number, errcode: string, error: string): Denied => ({
  _tag: "Denied",
  status,
  body: { errcode, error },
});

/** Whose access token it is. */
export const authenticateUser =
  (server: Homeserver) =>
  (request: Request): AuthenticatedUser => {
    const token = /^Bearer (.+)$/i.exec(request.headers.get("authorization") ?? "")?.[1];
    if (token === undefined) return denied(401, "M_MISSING_TOKEN", "There is no access token.");
    const userId = server.userOf(token);
    return userId === undefined
      ? denied(401, "M_UNKNOWN_TOKEN", "The access token is not known.")
      : { _tag: "User", requester: { userId } };
  };

/** Which server has signed the request. Only a signature that is wrong is a 401. */
export const authenticateServer =
  (server: Homeserver) =>
  async (request: Request, content?: unknown): Promise<AuthenticatedServer> => {
    const header = parseXMatrix(request.headers.get("authorization"));
    if (header._tag === "Left") return denied(401, "M_UNAUTHORIZED", "The request is not signed.");
    const { origin, keyId } = header.right;
    const key = await server.keys.forRequest({ server: origin, keyId });
    if (key === "Unavailable")
      return denied(424, "M_CONNECTION_FAILED", `The keys of ${origin} cannot be had now.`);
    const { pathname, search } = new URL(request.url);
    const signed = { method: request.method, uri: pathname + search, destination: server.name, content };
    const isSigned =
      key !== "Unknown" && verifyRequest(nodeCrypto, header.right, signed, key.publicKey)._tag === "Right";
    if (!isSigned) return denied(401, "M_UNAUTHORIZED", "The signature is wrong.");
    server.outgoing.heardFrom(origin);
    return { _tag: "Server", origin };
  };

/** A request to an endpoint of this server's own: who asks, and what. */
export interface Call {
  /** A user, or a server. */
  readonly who: string;
  readonly body: unknown;
  readonly param: (name: string) => string;
  readonly query: URLSearchParams;
}

export type Answer = (call: Call) => Promise<Response> | Response;

export type Routes = Readonly<
  Record<string, (request: Request, context: Context) => Promise<Response> | Response>
>;

/** Adds routes such as `"GET /path/:name"`, `ALL` for any method; other methods are answered 405. */
export const addRoutes = (app: Hono, routes: Routes): void => {
  const split = Object.entries(routes).map(([route, answer]) => ({ route: route.split(" "), answer }));
  for (const {
    route: [method = "", path = ""],
    answer,
  } of split)
    app.on(method === "ALL" ? ["GET", "PUT", "POST", "OPTIONS"] : [method], [path], (context) =>
      answer(context.req.raw, context),
    );
  const wrong = (): Response => json(405, { errcode: "M_UNRECOGNIZED", error: "Not with this method." });
  for (const {
    route: [, path = ""],
  } of split)
    app.all(path, wrong);
};

const badJson = (): Response => json(400, { errcode: "M_NOT_JSON", error: "The body is not JSON." });

const callOf = (context: Context, who: string, body: unknown): Call => ({
  who,
  body,
  param: (name) => context.req.param(name) ?? "",
  query: new URL(context.req.url).searchParams,
});

export const forUsers =
  (server: Homeserver, answer: Answer): Routes[string] =>
  async (request, context) => {
    const user = authenticateUser(server)(request);
    if (user._tag === "Denied") return json(user.status, user.body);
    const text = await request.text();
    const body = parseJson(text);
    if (text !== "" && body === undefined) return badJson();
    return answer(callOf(context, user.requester.userId, body));
  };

/** For servers whose signature on the request is good. A request without a body signs no content. */
export const forServers =
  (server: Homeserver, answer: Answer): Routes[string] =>
  async (request, context) => {
    const text = await request.text();
    const body = parseJson(text);
    if (text !== "" && body === undefined) return badJson();
    const who = await authenticateServer(server)(request, body);
    return who._tag === "Server" ? answer(callOf(context, who.origin, body)) : json(who.status, who.body);
  };
