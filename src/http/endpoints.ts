import { type Either, isLeft, isRight } from "fp-ts/lib/Either.js";
import type { OnBindOutcome } from "../flows/receive-on-bind.js";
import type { RequesterCommand } from "../flows/steps/read-command.js";
import type { FlowOptions, Problem } from "../flows/steps/step.js";
import type { ThirdPartyInvites } from "../third-party-invites.js";
import { requireBytes, requireMs, requireObject } from "./limits.js";
import type { BodyLimits } from "./read-body.js";
import { type JsonRules, requestJson } from "./request-json.js";
import {
  type Denied,
  type Endpoint,
  type EndpointHost,
  type RoomHost,
  beside,
  endpoint,
  errorAnswer,
  flowResponse,
  notLetIn,
} from "./route.js";

/** What the host says of a client's request: who makes it, or what to answer instead. */
export type AuthenticatedUser = { readonly _tag: "User"; readonly requester: RequesterCommand } | Denied;

export interface InviteHost extends RoomHost {
  /** Whose access token it is. */
  readonly authenticate: (request: Request) => Promise<AuthenticatedUser> | AuthenticatedUser;
}

export interface OnBindHost extends EndpointHost {
  /**
   * Called once proofs have been stored that were not there before: a good moment to run `deliverOwed`. The answer does not
   * wait for it, and its failure changes nothing: the queue has the proofs. `onError` is told what it rejects with, and the left of a flow that
   * it answers with.
   */
  readonly wake?: () => unknown;
}

/** What the host says of another server's request: which server signed it, or what to answer instead. */
export type AuthenticatedServer = { readonly _tag: "Server"; readonly origin: string } | Denied;

export interface ExchangeHost extends RoomHost {
  /**
   * Which server signed the request over this content, by its `X-Matrix` header. The `uri` that it signed is the path
   * and query of the request as it was sent: behind a proxy that rewrites paths, `request.url` has another.
   */
  readonly authenticate: (
    request: Request,
    content: unknown,
  ) => Promise<AuthenticatedServer> | AuthenticatedServer;
}

/** A client's request is some hundred bytes. */
const inviteRules: JsonRules = {
  maxBytes: 64 * 1024,
  timeoutMs: 10_000,
  numbers: "any",
};

/** 500 entries were 276 KB. */
const onBindRules: JsonRules = {
  maxBytes: 3 * 1024 * 1024,
  timeoutMs: 30_000,
  numbers: "integers",
  hasEntries: true,
};

/** An event has 64 KiB at most, and an exchange is a part of one. */
const exchangeRules: JsonRules = {
  maxBytes: 128 * 1024,
  timeoutMs: 30_000,
  numbers: "integers",
};

/** A limit that a host gives as `undefined` is the default, not none; one that is no limit is an error of the host's. */
const rulesOf = (given: Partial<BodyLimits>, defaults: JsonRules): JsonRules => {
  requireObject("host", given);
  const { maxBytes = defaults.maxBytes, timeoutMs = defaults.timeoutMs } = given;
  requireBytes("maxBytes", maxBytes);
  requireMs("timeoutMs", timeoutMs);
  return { ...defaults, maxBytes, timeoutMs };
};

/**
 * `POST /_matrix/client/v3/rooms/{roomId}/invite`, both forms, with CORS. The host says whose access token it
 * is; the rest is the flow `invite`. Making any of the endpoints throws a `TypeError` where a
 * limit is wrong, or a function is missing.
 *
 * @example
 * const invite = inviteEndpoint(invites, { authenticate });
 * app.all("/_matrix/client/v3/rooms/:roomId/invite", (c) => invite(c.req.raw)); // OPTIONS too: it answers CORS
 */
export const inviteEndpoint = (invites: Pick<ThirdPartyInvites, "invite">, host: InviteHost): Endpoint => {
  const rules = rulesOf(host, inviteRules);
  const needs = { authenticate: host.authenticate, "invites.invite": invites.invite };
  return endpoint(host, needs, {
    path: "/_matrix/client/v3/rooms/*/invite",
    methods: ["POST"],
    isForBrowsers: true,
    answer: async (request, roomId) => {
      const user = await host.authenticate(request);
      if (user._tag !== "User") return notLetIn(user);
      const body = await requestJson(request, rules);
      if (isLeft(body)) return errorAnswer(body.left);
      const command = { roomId, requester: user.requester, body: body.right };
      return flowResponse(host, await invites.invite(command, stoppable(request)));
    },
  });
};

/** A client that has gone away need not be answered; from store-invite on the flow goes on without it. */
const stoppable = ({ signal }: Request): FlowOptions => ({ signal });

/** Whether the queue is longer now. Without this, anybody could have it looked at as often as they send the same proof. */
const hasAdded = (result: Either<Problem, OnBindOutcome>): boolean =>
  isRight(result) && result.right.added > 0;

/**
 * `/_matrix/federation/v1/3pid/onbind`, by PUT as the endpoint is specified and by POST as identity servers do it
 * (D-13). Signed by nobody: what it delivers counts only once it has been proven.
 *
 * @example
 * const onBind = onBindEndpoint(invites, { wake });
 * app.all("/_matrix/federation/v1/3pid/onbind", (c) => onBind(c.req.raw));
 */
export const onBindEndpoint = (
  invites: Pick<ThirdPartyInvites, "receiveOnBind">,
  host: OnBindHost = {},
): Endpoint => {
  const rules = rulesOf(host, onBindRules);
  const { wake } = host;
  const needs = { "invites.receiveOnBind": invites.receiveOnBind, ...(wake === undefined ? {} : { wake }) };
  return endpoint(host, needs, {
    path: "/_matrix/federation/v1/3pid/onbind",
    methods: ["PUT", "POST"],
    isForBrowsers: false,
    answer: async (request) => {
      const body = await requestJson(request, rules);
      if (isLeft(body)) return errorAnswer(body.left);
      const result = await invites.receiveOnBind({ body: body.right });
      if (hasAdded(result)) void beside(host, wake);
      // Some identity servers deliver again only after a 502.
      return flowResponse(host, result, 502);
    },
  });
};

/**
 * `PUT /_matrix/federation/v1/exchange_third_party_invite/{roomId}`. The host verifies the `X-Matrix` signature over the
 * content that it is given.
 *
 * @example
 * const exchange = exchangeEndpoint(invites, { authenticate });
 * app.all("/_matrix/federation/v1/exchange_third_party_invite/:roomId", (c) => exchange(c.req.raw));
 */
export const exchangeEndpoint = (
  invites: Pick<ThirdPartyInvites, "receiveExchange">,
  host: ExchangeHost,
): Endpoint => {
  const rules = rulesOf(host, exchangeRules);
  const needs = { authenticate: host.authenticate, "invites.receiveExchange": invites.receiveExchange };
  return endpoint(host, needs, {
    path: "/_matrix/federation/v1/exchange_third_party_invite/*",
    methods: ["PUT"],
    isForBrowsers: false,
    answer: async (request, roomId) => {
      const body = await requestJson(request, rules);
      if (isLeft(body)) return errorAnswer(body.left);
      const server = await host.authenticate(request, body.right);
      if (server._tag !== "Server") return notLetIn(server);
      return flowResponse(
        host,
        await invites.receiveExchange(
          { roomId, origin: server.origin, body: body.right },
          stoppable(request),
        ),
      );
    },
  });
};
