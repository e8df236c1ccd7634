import { type Either, isLeft } from "fp-ts/lib/Either.js";
import type { RequesterCommand } from "../flows/command.js";
import { type Invite, invite } from "../flows/invite.js";
import type { InviteByThreePidPorts } from "../flows/invite-by-three-pid.js";
import { type ReceiveExchangePorts, receiveExchange } from "../flows/receive-exchange.js";
import { type OnBindOutcome, type ReceiveOnBindPorts, receiveOnBind } from "../flows/receive-on-bind.js";
import type { FlowOptions, Problem } from "../flows/run.js";
import type { JsonObject } from "../matrix/json.js";
import { matrixError } from "../refusal.js";
import type { BodyLimits } from "./read-body.js";
import { type HttpError, type JsonRules, internalError, requestJson, unrecognized } from "./request-json.js";

/** What a host answers where it does not let somebody in: the status, and the body of a Matrix error. */
export interface Denied {
  readonly _tag: "Denied";
  readonly status: number;
  /** `errcode`, `error`, and what else the error has, such as `soft_logout`. */
  readonly body: JsonObject;
}

/** An endpoint that mounts anywhere: it never rejects, and answers every request. */
export type Endpoint = (request: Request) => Promise<Response>;

/** What every endpoint may be given: how much body it reads, and for how long. */
export interface EndpointHost extends Partial<BodyLimits> {
  /** Told what made an answer a 500: what `authenticate` threw. For the host's own log; it goes to nobody else. */
  readonly onError?: (cause: unknown) => void;
}

type User = { readonly _tag: "User"; readonly requester: RequesterCommand } | Denied;

export interface InviteHost extends EndpointHost {
  /** Whose access token it is (CLI-3, CLI-E9 to CLI-E12). */
  readonly authenticate: (request: Request) => Promise<User> | User;
}

export interface OnBindHost extends EndpointHost {
  /**
   * Called once proofs have been stored: a good moment to run `deliverOwed`. The answer does not wait for it, and its
   * failure changes nothing: the queue has the proofs.
   */
  readonly wake?: () => unknown;
}

type Server = { readonly _tag: "Server"; readonly origin: string } | Denied;

export interface ExchangeHost extends EndpointHost {
  /**
   * Which server signed the request over this content, by its `X-Matrix` header (FMT-SIG-10). The `uri` that it signed is the path
   * and query of the request as it was sent: behind a proxy that rewrites paths, `request.url` has another.
   */
  readonly authenticate: (request: Request, content: unknown) => Promise<Server> | Server;
}

/** A client's request is some hundred bytes. */
const inviteRules: JsonRules = {
  maxBytes: 64 * 1024,
  timeoutMs: 10_000,
  numbers: "any",
  isTypeChecked: true,
};

/** 500 entries were 276 KB. A proof comes only once, and is not sent back for what its body is said to be. */
const onBindRules: JsonRules = {
  maxBytes: 3 * 1024 * 1024,
  timeoutMs: 30_000,
  numbers: "integers",
  isTypeChecked: false,
};

/** An event has 64 KiB at most, and an exchange is a part of one. */
const exchangeRules: JsonRules = {
  maxBytes: 128 * 1024,
  timeoutMs: 30_000,
  numbers: "integers",
  isTypeChecked: true,
};

/** A limit that a host gives as `undefined` is the default, not none. */
const rulesOf = (given: Partial<BodyLimits>, defaults: JsonRules): JsonRules => ({
  ...defaults,
  maxBytes: given.maxBytes ?? defaults.maxBytes,
  timeoutMs: given.timeoutMs ?? defaults.timeoutMs,
});

const cors = {
  "access-control-allow-origin": "*",
  "access-control-allow-methods": "GET, POST, PUT, DELETE, OPTIONS",
  "access-control-allow-headers": "X-Requested-With, Content-Type, Authorization",
  "access-control-expose-headers": "Retry-After",
} as const;

type Headers = Readonly<Record<string, string>>;

const answer = (status: number, body: JsonObject, headers: Headers = {}): Response =>
  new Response(JSON.stringify(body), { status, headers: { "content-type": "application/json", ...headers } });

const errorAnswer = ({ status, errcode, error }: HttpError, headers?: Headers): Response =>
  answer(status, { errcode, error }, headers);

/**
 * An error that somebody else chose: the host, its policy, another server. Anything but an error's status would tell
 * the client that all is well, or be no answer at all.
 */
const foreignError = (status: number, body: JsonObject, headers?: Headers): Response =>
  Number.isInteger(status) && status >= 400 && status < 600
    ? answer(status, body, headers)
    : errorAnswer(internalError);

/** Fails closed, also where a host in JavaScript answers something else: without a status, it is a 500. */
const notLetIn = ({ status, body }: Denied): Response => foreignError(status, body);

const retryAfter = (ms: number | undefined): Headers =>
  ms !== undefined && ms >= 0 && Number.isFinite(ms) ? { "retry-after": String(Math.ceil(ms / 1000)) } : {};

/**
 * The response of a flow's result, for endpoints of the host's own: 200 and `body`, or the Matrix error of the refusal or failure, with
 * `Retry-After` where there is something to wait for.
 *
 * @example
 * return matrixResponse(await revokeInvite(ports)({ roomId, requester: { userId }, token }));
 */
export const matrixResponse = (result: Either<Problem, unknown>, body: JsonObject = {}): Response => {
  if (!isLeft(result)) return answer(200, body);
  const { status, body: error } = matrixError(result.left);
  return foreignError(status, error, retryAfter(error.retry_after_ms));
};

/**
 * What stands in a path where the pattern has `*`, percent-decoded: `!room:example.org` comes as it is, or as
 * `%21room%3Aexample.org`, and an encoded `/` is part of its segment. `undefined` where the path is another.
 */
const pathParameters = (pattern: string, url: string): readonly string[] | undefined => {
  const [wanted, given] = [pattern.split("/"), new URL(url).pathname.split("/")];
  if (wanted.length !== given.length) return undefined;
  const found: string[] = [];
  for (const [at, part] of wanted.entries()) {
    const segment = given[at] ?? "";
    if (part === "*") found.push(decodeURIComponent(segment));
    else if (part !== segment) return undefined;
  }
  return found;
};

interface Route {
  readonly path: string;
  readonly methods: readonly string[];
  /** Whether browsers of other origins may ask: client endpoints. */
  readonly isForBrowsers: boolean;
  readonly answer: (request: Request, parameters: readonly string[]) => Promise<Response>;
}

const withHeaders = (response: Response, headers: Headers): Response => {
  for (const [name, value] of Object.entries(headers)) response.headers.set(name, value);
  return response;
};

const routed = async (route: Route, request: Request): Promise<Response> => {
  let parameters: readonly string[] | undefined;
  try {
    parameters = pathParameters(route.path, request.url);
  } catch {
    // A path that is no percent-encoding names nothing.
  }
  if (parameters === undefined) return errorAnswer(unrecognized(404));
  if (route.isForBrowsers && request.method === "OPTIONS") return new Response(null, { status: 204 });
  if (!route.methods.includes(request.method))
    return errorAnswer(unrecognized(405), { allow: route.methods.join(", ") });
  return route.answer(request, parameters);
};

/** What the host does on the side: it neither delays an answer nor changes it. */
const quietly = async (call: (() => unknown) | undefined): Promise<void> => {
  try {
    await call?.();
  } catch {
    // It is the host's to know.
  }
};

const endpoint =
  ({ onError }: EndpointHost, route: Route): Endpoint =>
  async (request) => {
    const response = await routed(route, request).catch((cause: unknown) => {
      void quietly(() => onError?.(cause));
      return errorAnswer(internalError);
    });
    return route.isForBrowsers ? withHeaders(response, cors) : response;
  };

/**
 * `POST /_matrix/client/v3/rooms/{roomId}/invite`, both forms (CLI-1), with CORS. The host says whose access token it
 * is; the rest is the flow `invite`.
 *
 * @example
 * app.post("/_matrix/client/v3/rooms/:roomId/invite", (c) => inviteEndpoint(ports, { authenticate })(c.req.raw));
 */
export const inviteEndpoint = (ports: InviteByThreePidPorts, host: InviteHost): Endpoint =>
  endpoint(host, {
    path: "/_matrix/client/v3/rooms/*/invite",
    methods: ["POST"],
    isForBrowsers: true,
    answer: async (request, [roomId = ""]) => {
      const user = await host.authenticate(request);
      if (user._tag !== "User") return notLetIn(user);
      const body = await requestJson(request, rulesOf(host, inviteRules));
      if (isLeft(body)) return errorAnswer(body.left);
      const command: Invite = { roomId, requester: user.requester, body: body.right };
      return matrixResponse(await invite(ports)(command, stoppable(request)));
    },
  });

/** A client that has gone away need not be answered; from store-invite on the flow goes on without it. */
const stoppable = ({ signal }: Request): FlowOptions => ({ signal });

/** Whether the queue may be longer now. Without this, anybody could have it looked at as often as they like. */
const hasStored = (result: Either<Problem, OnBindOutcome>): boolean =>
  isLeft(result) ? result.left.code === "TooManyWaiting" : result.right.accepted > 0;

/**
 * `/_matrix/federation/v1/3pid/onbind`, by PUT as the endpoint is specified and by POST as identity servers do it
 * (ONB-1, AMB-13). Signed by nobody: what it delivers counts only once it has been proven.
 *
 * @example
 * app.on(["PUT", "POST"], "/_matrix/federation/v1/3pid/onbind", (c) => onBindEndpoint(ports, { wake })(c.req.raw));
 */
export const onBindEndpoint = (ports: ReceiveOnBindPorts, host: OnBindHost = {}): Endpoint =>
  endpoint(host, {
    path: "/_matrix/federation/v1/3pid/onbind",
    methods: ["PUT", "POST"],
    isForBrowsers: false,
    answer: async (request) => {
      const body = await requestJson(request, rulesOf(host, onBindRules));
      if (isLeft(body)) return errorAnswer(body.left);
      const result = await receiveOnBind(ports)(body.right);
      if (hasStored(result)) void quietly(host.wake);
      return matrixResponse(result);
    },
  });

/**
 * `PUT /_matrix/federation/v1/exchange_third_party_invite/{roomId}` (EXC-1). The host verifies the `X-Matrix` signature over the
 * content that it is given.
 *
 * @example
 * app.put("/_matrix/federation/v1/exchange_third_party_invite/:roomId", (c) => exchange(c.req.raw));
 */
export const exchangeEndpoint = (ports: ReceiveExchangePorts, host: ExchangeHost): Endpoint =>
  endpoint(host, {
    path: "/_matrix/federation/v1/exchange_third_party_invite/*",
    methods: ["PUT"],
    isForBrowsers: false,
    answer: async (request, [roomId = ""]) => {
      const body = await requestJson(request, rulesOf(host, exchangeRules));
      if (isLeft(body)) return errorAnswer(body.left);
      const server = await host.authenticate(request, body.right);
      if (server._tag !== "Server") return notLetIn(server);
      return matrixResponse(
        await receiveExchange(ports)({ roomId, origin: server.origin, body: body.right }, stoppable(request)),
      );
    },
  });
