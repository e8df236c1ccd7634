import { type Either, isLeft, mapLeft } from "fp-ts/lib/Either.js";
import type { Problem } from "../flows/steps/step.js";
import { type JsonObject, hasMember, member } from "../matrix/json.js";
import { matrixError } from "../refusal.js";
import type { BodyLimits } from "./read-body.js";
import { requireFunction } from "./limits.js";
import { type HttpError, internalError, unrecognized } from "./request-json.js";

/** What a host answers where it does not let somebody in: the status, and the body of a Matrix error. */
export interface Denied {
  readonly _tag: "Denied";
  readonly status: number;
  /** `errcode`, `error`, and what else the error has, such as `soft_logout`. */
  readonly body: JsonObject;
}

/**
 * An endpoint that mounts anywhere: it never rejects, and answers every request. It knows its path also where a framework
 * has cut the beginning off, as Express does under `app.use("/_matrix", …)`.
 */
export type Endpoint = (request: Request) => Promise<Response>;

/** What every endpoint may be given: how much body it reads, and for how long. */
export interface EndpointHost extends Partial<BodyLimits> {
  /**
   * Told what made an answer a 500 and what has a cause: what `authenticate` or `wake` threw, and the `PortFailure` of a
   * flow with the name of the port and what it threw. For the host's own log; it goes to nobody else.
   */
  readonly onError?: (cause: unknown) => void;
}

/** What an endpoint of a room may be given besides. */
export interface RoomHost extends EndpointHost {
  /**
   * The room ID, percent-decoded, where the host's router has read it: the path is then not looked at. `undefined` where
   * it is to be read out of the path.
   */
  readonly roomId?: (request: Request) => string | undefined;
}

const cors = {
  "access-control-allow-origin": "*",
  "access-control-allow-methods": "GET, POST, PUT, DELETE, OPTIONS",
  "access-control-allow-headers": "X-Requested-With, Content-Type, Authorization",
  "access-control-expose-headers": "Retry-After",
} as const;

type Headers = Readonly<Record<string, string>>;

const answer = (status: number, body: JsonObject, headers: Headers = {}): Response =>
  new Response(JSON.stringify(body), { status, headers: { "content-type": "application/json", ...headers } });

export const errorAnswer = ({ status, errcode, error }: HttpError, headers?: Headers): Response =>
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
export const notLetIn = ({ status, body }: Denied): Response => foreignError(status, body);

const retryAfter = (ms: number | undefined): Headers =>
  ms !== undefined && ms >= 0 && Number.isFinite(ms) ? { "retry-after": String(Math.ceil(ms / 1000)) } : {};

/**
 * The response of a flow's result, for endpoints of the host's own: 200 and `body`, or the Matrix error of the refusal or failure, with
 * `Retry-After` where there is something to wait for.
 *
 * @example
 * return matrixResponse(await invites.revokeInvite({ roomId, requester: { userId }, token }));
 */
export const matrixResponse = (result: Either<Problem, unknown>, body: JsonObject = {}): Response => {
  if (!isLeft(result)) return answer(200, body);
  const { status, body: error } = matrixError(result.left);
  return foreignError(status, error, retryAfter(error.retry_after_ms));
};

/** What a room ID in a path may be written as. Only with one is a shorter path the rest of ours. */
const roomIdText = /^(?:!|%21)/;

/**
 * The room ID where the pattern has `*`, percent-decoded: `!room:example.org` comes as it is, or as
 * `%21room%3Aexample.org`, and an encoded `/` is part of its segment. Empty for a pattern without one. `undefined`
 * where the path is another: neither the pattern's, nor what is left of it when a framework has cut its beginning off.
 */
const roomIdIn = (pattern: string, url: string): string | undefined => {
  const wanted = pattern.split("/").slice(1);
  const { pathname } = new URL(url);
  const given = pathname === "/" ? [] : pathname.split("/").slice(1);
  if (given.length > wanted.length) return undefined;
  const isCut = given.length < wanted.length;
  let roomId = wanted.includes("*") ? undefined : "";
  for (const [at, part] of wanted.slice(wanted.length - given.length).entries()) {
    const segment = given[at] ?? "";
    if (part !== "*" ? part !== segment : isCut && !roomIdText.test(segment)) return undefined;
    if (part === "*") roomId = decodeURIComponent(segment);
  }
  return roomId;
};

interface Route {
  readonly path: string;
  readonly methods: readonly string[];
  /** Whether browsers of other origins may ask: client endpoints. */
  readonly isForBrowsers: boolean;
  readonly answer: (request: Request, roomId: string) => Promise<Response>;
}

const withHeaders = (response: Response, headers: Headers): Response => {
  for (const [name, value] of Object.entries(headers)) response.headers.set(name, value);
  return response;
};

const routed = async ({ roomId: given }: RoomHost, route: Route, request: Request): Promise<Response> => {
  let roomId = given?.(request);
  try {
    roomId ??= roomIdIn(route.path, request.url);
  } catch {
    // A path that is no percent-encoding names nothing.
  }
  if (roomId === undefined) return errorAnswer(unrecognized(404));
  if (route.isForBrowsers && request.method === "OPTIONS") return new Response(null, { status: 204 });
  if (!route.methods.includes(request.method))
    return errorAnswer(unrecognized(405), { allow: route.methods.join(", ") });
  return route.answer(request, roomId);
};

/** What the host does on the side: it neither delays an answer nor changes it. */
const quietly = async (call: (() => unknown) | undefined): Promise<void> => {
  try {
    await call?.();
  } catch {
    // A log that fails changes nothing.
  }
};

const isLeftOf = (value: unknown): boolean => member(value, "_tag") === "Left" && hasMember(value, "left");

/** What a call on the side failed with: what it threw, or the left of a flow. */
const failuresOf = async (call: (() => unknown) | undefined): Promise<readonly unknown[]> => {
  try {
    const result = await call?.();
    return isLeftOf(result) ? [member(result, "left")] : [];
  } catch (cause) {
    return [cause];
  }
};

/** What the host does beside an answer; it is told why that failed. */
export const beside = ({ onError }: EndpointHost, call: (() => unknown) | undefined): Promise<void> =>
  quietly(async () => {
    for (const cause of await failuresOf(call)) onError?.(cause);
  });

/** What the host should know of a failure. That a client went away is none. */
const isForHost = (problem: Problem): boolean =>
  problem._tag === "PortFailure" &&
  problem.code !== "Cancelled" &&
  (problem.cause !== undefined || problem.status === 500);

/**
 * The response of an endpoint's flow; why a port failed is told to the host. `statusOfFailure` is answered for every failure
 * of a port, where an endpoint has one status for them.
 */
export const flowResponse = (
  { onError }: EndpointHost,
  result: Either<Problem, unknown>,
  statusOfFailure?: number,
): Response => {
  if (isLeft(result) && isForHost(result.left)) void quietly(() => onError?.(result.left));
  return matrixResponse(
    mapLeft((problem: Problem) =>
      problem._tag === "PortFailure" && statusOfFailure !== undefined
        ? { ...problem, status: statusOfFailure }
        : problem,
    )(result),
  );
};

/** Makes an endpoint of what it needs, and its route. What the host forgot is found out now. */
export const endpoint = (
  host: RoomHost,
  needs: Readonly<Record<string, unknown>>,
  route: Route,
): Endpoint => {
  const { onError, roomId } = host;
  const functions = {
    ...needs,
    ...(onError === undefined ? {} : { onError }),
    ...(roomId === undefined ? {} : { roomId }),
  };
  for (const [name, value] of Object.entries(functions)) requireFunction(name, value);
  return async (request) => {
    const response = await routed(host, route, request).catch((cause: unknown) => {
      void quietly(() => onError?.(cause));
      return errorAnswer(internalError);
    });
    return route.isForBrowsers ? withHeaders(response, cors) : response;
  };
};
