import { isJsonObject, member, stringMember } from "../matrix/json.js";
import type { IdentityServer, IdentityServerAccess, IdentityServerError } from "../ports.js";

interface Answer {
  readonly _tag: "Answer";
  readonly status: number;
  readonly body: unknown;
}

const isText = (value: unknown): value is string => typeof value === "string";

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

const errorOf = ({ status, body }: Answer): IdentityServerError => {
  const errcode = stringMember(body, "errcode");
  if (errcode === "M_TERMS_NOT_SIGNED") return { _tag: "TermsNotSigned" };
  if (status === 401) return { _tag: "Unauthorized" };
  if (status === 429) return { _tag: "RateLimited" };
  return errcode === undefined ? { _tag: "Malformed" } : { _tag: "Rejected", errcode, status };
};

/**
 * The `identityServer` port over whatever carries a request to an identity server: the embedded one's `handle`, or a
 * `fetch` that finds a test's loopback port. For tests: it trusts who answers, and neither caps nor times anything.
 *
 * @example
 * const identity = createIdentityServer({ serverName: "id.example", baseUrl: "https://id.example" });
 * const identityServer = identityServerPort((url, init) => identity.handle(new Request(url, init)));
 */
export const identityServerPort = (
  fetch: (url: string, init: RequestInit) => Promise<Response>,
): IdentityServer => {
  const ask = async (url: string, init: RequestInit): Promise<Answer | IdentityServerError> => {
    try {
      const response = await fetch(url, init);
      return { _tag: "Answer", status: response.status, body: parseJson(await response.text()) };
    } catch {
      return { _tag: "Unreachable", sent: true };
    }
  };

  const call = (
    { idServer, accessToken }: IdentityServerAccess,
    method: "GET" | "POST",
    path: string,
    signal: AbortSignal | undefined,
    body?: unknown,
  ): Promise<Answer | IdentityServerError> =>
    ask(`https://${idServer}/_matrix/identity/v2/${path}`, {
      method,
      headers: { authorization: `Bearer ${accessToken}` },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(signal === undefined ? {} : { signal }),
    });

  return {
    hashDetails: async (access, { signal }) => {
      const answer = await call(access, "GET", "hash_details", signal);
      if (answer._tag !== "Answer") return answer;
      if (answer.status !== 200) return errorOf(answer);
      const pepper = stringMember(answer.body, "lookup_pepper");
      const algorithms = member(answer.body, "algorithms");
      return pepper === undefined || !Array.isArray(algorithms)
        ? { _tag: "Malformed" }
        : { _tag: "HashDetails", pepper, algorithms: algorithms.filter(isText) };
    },

    lookup: async ({ algorithm, pepper, addresses, ...access }, { signal }) => {
      const answer = await call(access, "POST", "lookup", signal, { algorithm, pepper, addresses });
      if (answer._tag !== "Answer") return answer;
      if (stringMember(answer.body, "errcode") === "M_INVALID_PEPPER") return { _tag: "InvalidPepper" };
      const mappings = member(answer.body, "mappings");
      if (answer.status !== 200 || !isJsonObject(mappings)) return errorOf(answer);
      const userIds = new Map<string, string>();
      for (const address of addresses) {
        const userId = stringMember(mappings, address);
        if (userId !== undefined) userIds.set(address, userId);
      }
      return { _tag: "Mappings", userIds };
    },

    storeInvite: async ({ invite, ...access }, { signal }) => {
      const answer = await call(access, "POST", "store-invite", signal, invite);
      if (answer._tag !== "Answer") return answer;
      if (stringMember(answer.body, "errcode") === "M_THREEPID_IN_USE")
        return { _tag: "AlreadyBound", userId: member(answer.body, "mxid") };
      return answer.status === 200 ? { _tag: "Stored", answer: answer.body } : errorOf(answer);
    },

    keyValidity: async (url, { signal }) => {
      const answer = await ask(url, signal === undefined ? {} : { signal });
      if (answer._tag !== "Answer") return answer;
      const valid = member(answer.body, "valid");
      return answer.status === 200 && typeof valid === "boolean"
        ? { _tag: "Validity", valid }
        : errorOf(answer);
    },
  };
};
