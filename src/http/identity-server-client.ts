import { secondVersionOf } from "../invite/key-validity.js";
import { type JsonObject, isJsonObject, member, stringMember } from "../matrix/json.js";
import { WrittenNumber } from "../matrix/written-number.js";
import type {
  IdentityServer,
  IdentityServerAccess,
  IdentityServerError,
  PortOptions,
  StoreInviteRequest,
} from "../ports.js";
import { type Answer, type Fetch, type FetchLimits, fetchJson } from "./fetch-json.js";
import { requireBytes, requireFunction, requireMs } from "./limits.js";

export interface IdentityServerClientOptions extends Partial<FetchLimits> {
  /**
   * What carries the requests. Their targets are chosen by strangers: on Node give it `guardedFetch` of
   * `matrix-third-party-invites/node`, which reaches public addresses only.
   */
  readonly fetch: Fetch;
  readonly userAgent?: string;
  /**
   * What every store-invite has beside the members of the protocol, such as `org.matrix.web_client_location`, which some
   * identity servers write into the mail. A member of the protocol is an error.
   */
  readonly storeInviteMembers?: JsonObject;
  /** How long a server's hash details are believed, in milliseconds; 10 minutes. A rotated pepper ends it sooner. */
  readonly hashDetailsMs?: number;
}

/** Identity servers are named by clients; a list of all that were ever named would grow without end. */
const maxRemembered = 256;

/** Five characters in the field; what is remembered must not be as long as somebody likes. */
const maxPepperLength = 1024;

type HashDetails = Extract<
  Awaited<ReturnType<IdentityServer["hashDetails"]>>,
  { readonly _tag: "HashDetails" }
>;

const unauthorized: ReadonlySet<string | undefined> = new Set(["M_UNKNOWN_TOKEN", "M_MISSING_TOKEN"]);

/** Some identity servers have an errcode of their own, and name no user. */
const inUse: ReadonlySet<string | undefined> = new Set(["M_THREEPID_IN_USE", "M_ALREADY_EXISTS"]);

const afterSeconds = /^\s*([0-9]{1,9})\s*$/;

/** As HTTP writes dates. `Date.parse` alone would find one in almost any text with a number in it. */
const httpDate = /^\s*[A-Z][a-z]+, .+ GMT\s*$/;

/** A wait that other programs can take: whole milliseconds. */
const asWait = (ms: number): number | undefined => {
  const whole = Math.ceil(ms);
  return whole >= 0 && Number.isSafeInteger(whole) ? whole : undefined;
};

/** `Retry-After` in seconds or as a date, or the deprecated member of the body, in milliseconds. */
const retryAfterMs = ({ retryAfter, body }: Answer): number | undefined => {
  const header = retryAfter ?? "";
  const seconds = afterSeconds.exec(header)?.[1];
  if (seconds !== undefined) return Number(seconds) * 1000;
  const until = httpDate.test(header) ? asWait(Date.parse(header) - Date.now()) : undefined;
  if (until !== undefined) return until;
  const inBody = member(body, "retry_after_ms");
  return typeof inBody === "number" || inBody instanceof WrittenNumber ? asWait(Number(inBody)) : undefined;
};

/** What an answer that is none of a call's own says: its fields decide before its status does. */
const errorOf = (answer: Answer): IdentityServerError => {
  const { status, body } = answer;
  const errcode = stringMember(body, "errcode");
  const isClientError = status >= 400 && status < 500;
  // A real one says 429 with M_UNKNOWN and without Retry-After.
  if (status === 429 || (isClientError && errcode === "M_LIMIT_EXCEEDED")) {
    const wait = retryAfterMs(answer);
    return { _tag: "RateLimited", ...(wait === undefined ? {} : { retryAfterMs: wait }) };
  }
  if (errcode === undefined) return { _tag: "Malformed" };
  // With another status, such as a 500, an errcode does not say how far the request came.
  if (isClientError && errcode === "M_TERMS_NOT_SIGNED") return { _tag: "TermsNotSigned" };
  if (status === 401 || (isClientError && unauthorized.has(errcode))) return { _tag: "Unauthorized" };
  return { _tag: "Rejected", errcode, status };
};

/** The members that store-invite has by the protocol; a further one must not stand in their place. */
const storeInviteNames: Readonly<Record<keyof StoreInviteRequest, true>> = {
  medium: true,
  address: true,
  room_id: true,
  sender: true,
  room_alias: true,
  room_avatar_url: true,
  room_join_rules: true,
  room_name: true,
  room_type: true,
  sender_display_name: true,
  sender_avatar_url: true,
};

const requireFurther = (members: unknown): void => {
  if (!isJsonObject(members)) throw new TypeError("storeInviteMembers must be an object.");
  const taken = Object.keys(members).find((name) => Object.hasOwn(storeInviteNames, name));
  if (taken !== undefined) throw new TypeError(`storeInviteMembers.${taken} is a member of the protocol.`);
  // What cannot be written as JSON throws here, and not with the first invite.
  JSON.stringify(members);
};

/** Whether an answer broke off: a server may close a kept connection at the moment when it is used again. */
const isBrokenOff = (answer: Awaited<ReturnType<typeof fetchJson>>): boolean =>
  answer._tag === "Unreachable" && answer.sent && answer.timedOut !== true;

/** A server that has the API answers with JSON, also where it knows nothing of the key. A 429 says nothing of the API. */
const hasNoApi = ({ status, body }: Answer): boolean =>
  status === 404 || (body === undefined && status !== 429);

/** A success has its status, and neither an errcode nor `success: false` (some failures come with 200). */
const isSuccess = ({ status, body }: Answer): boolean =>
  status === 200 && member(body, "errcode") === undefined && member(body, "success") !== false;

/**
 * The `identityServer` port over HTTP, for any runtime with `fetch`: `hash_details`, `lookup`, `store-invite` and key
 * validity of the identity service API v2 (LOOK-*, STORE-*, KEY-*). Answers are decided by their fields, within limits of
 * time and size, without following redirects; what is no answer of the protocol is `Malformed`. The token goes into
 * the header and nowhere else. What only reads is asked once more where the connection broke; store-invite is sent once,
 * with `connection: close`, for which `guardedFetch` makes a connection of its own. Rejects only where a caller's signal
 * stopped the call; making it throws a `TypeError` where an option is not what it must be.
 *
 * @example
 * const identityServer = identityServerClient({ fetch: await guardedFetch(), userAgent: "my-server/1.0" });
 */
export const identityServerClient = ({
  fetch,
  userAgent,
  storeInviteMembers = {},
  hashDetailsMs = 600_000,
  headersTimeoutMs = 10_000,
  bodyTimeoutMs = 10_000,
  maxBytes = 64 * 1024,
}: IdentityServerClientOptions): IdentityServer => {
  requireFunction("fetch", fetch);
  // One that no header can hold would fail every request.
  if (userAgent !== undefined) new Headers({ "user-agent": userAgent });
  requireFurther(storeInviteMembers);
  requireMs("hashDetailsMs", hashDetailsMs);
  requireMs("headersTimeoutMs", headersTimeoutMs);
  requireMs("bodyTimeoutMs", bodyTimeoutMs);
  requireBytes("maxBytes", maxBytes);
  const limits: FetchLimits = { headersTimeoutMs, bodyTimeoutMs, maxBytes };
  const remembered = new Map<string, { readonly details: HashDetails; readonly until: number }>();

  const remember = (idServer: string, details: HashDetails): void => {
    remembered.delete(idServer);
    if (remembered.size >= maxRemembered) {
      const [oldest] = remembered.keys();
      if (oldest !== undefined) remembered.delete(oldest);
    }
    remembered.set(idServer, { details, until: Date.now() + hashDetailsMs });
  };

  const request = async (
    url: string,
    { signal }: PortOptions,
    init: { readonly accessToken?: string; readonly body?: JsonObject; readonly isOnce?: boolean } = {},
  ): ReturnType<typeof fetchJson> => {
    const ask = (): ReturnType<typeof fetchJson> =>
      fetchJson(
        fetch,
        url,
        {
          method: init.body === undefined ? "GET" : "POST",
          headers: {
            accept: "application/json",
            ...(userAgent === undefined ? {} : { "user-agent": userAgent }),
            ...(init.accessToken === undefined ? {} : { authorization: `Bearer ${init.accessToken}` }),
            ...(init.body === undefined ? {} : { "content-type": "application/json" }),
            ...(init.isOnce === true ? { connection: "close" } : {}),
          },
          ...(init.body === undefined ? {} : { body: JSON.stringify(init.body) }),
        },
        { limits, signal },
      );
    const answer = await ask();
    return init.isOnce !== true && isBrokenOff(answer) ? ask() : answer;
  };

  const call = (
    { idServer, accessToken }: IdentityServerAccess,
    path: string,
    options: PortOptions,
    init: { readonly body?: JsonObject; readonly isOnce?: boolean } = {},
  ): ReturnType<typeof fetchJson> =>
    request(`https://${idServer}/_matrix/identity/v2/${path}`, options, { accessToken, ...init });

  return {
    hashDetails: async (access, options) => {
      options.signal?.throwIfAborted();
      const known = remembered.get(access.idServer);
      if (known !== undefined && Date.now() < known.until) return known.details;
      const answer = await call(access, "hash_details", options);
      if (answer._tag !== "Answer") return answer;
      const pepper = stringMember(answer.body, "lookup_pepper");
      const algorithms = member(answer.body, "algorithms");
      if (!isSuccess(answer) || pepper === undefined || !Array.isArray(algorithms)) return errorOf(answer);
      if (pepper.length > maxPepperLength) return { _tag: "Malformed" };
      const details: HashDetails = {
        _tag: "HashDetails",
        pepper,
        algorithms: (algorithms as readonly unknown[]).filter((one) => typeof one === "string"),
      };
      remember(access.idServer, details);
      return details;
    },

    lookup: async ({ algorithm, pepper, addresses, ...access }, options) => {
      const answer = await call(access, "lookup", options, { body: { algorithm, pepper, addresses } });
      if (answer._tag !== "Answer") return answer;
      if (stringMember(answer.body, "errcode") === "M_INVALID_PEPPER") {
        remembered.delete(access.idServer);
        return { _tag: "InvalidPepper" };
      }
      const mappings = member(answer.body, "mappings");
      if (!isSuccess(answer) || !isJsonObject(mappings)) return errorOf(answer);
      const userIds = new Map<string, string>();
      for (const address of addresses) {
        const userId = member(mappings, address);
        if (userId === undefined) continue;
        // Somebody is bound, whoever it is: taken for nobody, they would get a mail.
        if (typeof userId !== "string") return { _tag: "Malformed" };
        userIds.set(address, userId);
      }
      return { _tag: "Mappings", userIds };
    },

    storeInvite: async ({ invite, ...access }, options) => {
      const answer = await call(access, "store-invite", options, {
        body: { ...storeInviteMembers, ...invite },
        isOnce: true,
      });
      if (answer._tag !== "Answer") return answer;
      if (inUse.has(stringMember(answer.body, "errcode")))
        return { _tag: "AlreadyBound", userId: member(answer.body, "mxid") };
      return isSuccess(answer) && isJsonObject(answer.body)
        ? { _tag: "Stored", answer: answer.body }
        : errorOf(answer);
    },

    keyValidity: async (url, options) => {
      const first = await request(url, options);
      const second = first._tag === "Answer" && hasNoApi(first) ? secondVersionOf(url) : undefined;
      const answer = second === undefined ? first : await request(second, options);
      if (answer._tag !== "Answer") return answer;
      const valid = member(answer.body, "valid");
      return isSuccess(answer) && typeof valid === "boolean" ? { _tag: "Validity", valid } : errorOf(answer);
    },
  };
};
