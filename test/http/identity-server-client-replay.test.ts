import { isJsonObject } from "matrix-third-party-invites/matrix";
import type { IdentityServer, StoreInviteRequest } from "matrix-third-party-invites/ports";
import { identityServerClient } from "matrix-third-party-invites/http";
import { describe, expect, it } from "vitest";
import {
  type CapturedExchange,
  capturedServerName,
  clientExchanges,
  homeserverExchanges,
} from "./captured-exchanges.js";
import { type CallName, callNames, calls, isOutcomeOf, serverNamed } from "./identity-server-calls.js";
import { fetchTo, http, openRawTls, patient, type Received } from "./raw-tls-server.js";

const wire = ({ status, headers = {}, body }: CapturedExchange["response"]): Buffer =>
  http(status, headers, typeof body === "string" ? body : JSON.stringify(body));

const bearer = "Bearer ";

/** The token of the captured request; where it had none, the client sends one all the same. */
const tokenOf = ({ request: { headers } }: CapturedExchange): string =>
  headers?.["authorization"]?.slice(bearer.length) ?? "some-token";

/** The call that makes the captured request, if the client has one. Captured bodies may break the port's types. */
const callOf = (exchange: CapturedExchange): ((client: IdentityServer) => Promise<unknown>) | undefined => {
  const { method, path, body } = exchange.request;
  const access = { idServer: serverNamed(capturedServerName), accessToken: tokenOf(exchange) };
  switch (`${method} ${path.replace(/\?.*/, "").replace("/_matrix/identity/", "")}`) {
    case "GET v2/hash_details":
      return (client) => client.hashDetails(access, {});
    case "POST v2/lookup":
      return (client) =>
        client.lookup({ ...(body as Pick<Lookup, "algorithm" | "pepper" | "addresses">), ...access }, {});
    case "POST v2/store-invite":
      return (client) => client.storeInvite({ ...access, invite: body as StoreInviteRequest }, {});
    case "GET v2/pubkey/isvalid":
    case "GET v2/pubkey/ephemeral/isvalid":
    case "GET api/v1/pubkey/isvalid":
    case "GET api/v1/pubkey/ephemeral/isvalid":
      return (client) => client.keyValidity(`https://${capturedServerName}${path}`, {});
    default:
      return undefined;
  }
};

type Lookup = Parameters<IdentityServer["lookup"]>[0];

interface Replayed {
  readonly outcome: unknown;
  readonly received: readonly Received[];
}

/** Asks through the client what was asked then, of a server that says what was said then. */
const replay = async (
  { response }: CapturedExchange,
  call: (client: IdentityServer) => Promise<unknown>,
): Promise<Replayed> => {
  const server = await openRawTls((socket) => socket.write(wire(response)));
  const client = identityServerClient({ ...patient, fetch: await fetchTo(server.port), userAgent: "test/1" });
  return { outcome: await call(client), received: server.received };
};

/** What `fetch` adds by itself, and what was not written down then. */
const unrecorded: ReadonlySet<string> = new Set([
  "accept",
  "accept-encoding",
  "accept-language",
  "connection",
  "content-length",
  "host",
  "sec-fetch-mode",
  "user-agent",
]);

const expectSent = ({ received }: Replayed, exchange: CapturedExchange): void => {
  const { method, path, headers, body = null } = exchange.request;
  expect(received).toHaveLength(1);
  const [sent] = received;
  expect(`${sent?.method ?? ""} ${sent?.target ?? ""}`).toBe(`${method} ${path}`);
  // As JSON: the order of members and the blanks between them are free.
  expect(sent?.body === "" ? null : JSON.parse(sent?.body ?? "")).toEqual(body);
  const { authorization, "content-type": contentType, ...others } = sent?.headers ?? {};
  expect(Object.keys(others).filter((name) => !unrecorded.has(name))).toEqual([]);
  expect(others).toMatchObject({
    host: capturedServerName,
    accept: "application/json",
    "user-agent": "test/1",
  });
  expect(contentType).toBe(method === "POST" ? "application/json" : undefined);
  // No stranger's key server gets a token; the others always do, and only in the header.
  expect(authorization).toBe(path.includes("/pubkey/") ? undefined : bearer + tokenOf(exchange));
  expect(sent?.target).not.toContain(tokenOf(exchange));
  if (headers !== undefined) {
    expect(headers["content-type"]).toBe(contentType);
    if (headers["authorization"] !== undefined) expect(authorization).toBe(headers["authorization"]);
  }
};

const mappings = (...entries: readonly (readonly [string, string])[]) => ({
  _tag: "Mappings",
  userIds: new Map(entries),
});
const rejected = (status: number, errcode: string) => ({ _tag: "Rejected", errcode, status });
const validity = (valid: boolean) => ({ _tag: "Validity", valid });
const unauthorized = { _tag: "Unauthorized" };
const stored = (body: unknown) => ({ _tag: "Stored", answer: body });
const bob = "@bob-d1db74:localhost:28481";

/** What comes of each captured answer; a function where the outcome has the whole body. */
const expected: Readonly<Record<string, object | ((body: unknown) => object)>> = {
  "bind: store-invite-already-bound": { _tag: "AlreadyBound", userId: bob },
  "bind-with-invite: ephemeral-isvalid-after-bind": validity(true),
  "lookup: hash_details": { _tag: "HashDetails", pepper: "8DhPj", algorithms: ["sha256", "none"] },
  "lookup: hash_details-no-token": unauthorized,
  "lookup: lookup-unbound": mappings(),
  "lookup: lookup-empty": mappings(),
  "lookup: lookup-bound-sha256": mappings(["XcUMv7-zH-en6Uzhe-r44jRJ99RLNTb1tXb7zdzyJzM", bob]),
  "lookup: lookup-bound-upper-case-hashed-as-is": mappings(),
  "lookup: lookup-bound-padded-hash": mappings(),
  "lookup: lookup-bound-standard-alphabet": mappings(),
  "lookup: lookup-none": mappings(["bound-d1db74@example.org email", bob]),
  "lookup: lookup-none-bad-pair": rejected(400, "M_UNKNOWN"),
  "lookup: lookup-wrong-pepper": { _tag: "InvalidPepper" },
  "lookup: lookup-unknown-algorithm": rejected(400, "M_INVALID_PARAM"),
  "lookup: lookup-missing": rejected(400, "M_MISSING_PARAMS"),
  "lookup: lookup-not-a-list": rejected(400, "M_INVALID_PARAM"),
  "lookup: lookup-bad-token": unauthorized,
  "pubkey: isvalid-own-key/v2": validity(true),
  "pubkey: isvalid-other-key/v2": validity(false),
  "pubkey: isvalid-no-key/v2": rejected(400, "M_MISSING_PARAMS"),
  "pubkey: ephemeral-isvalid-unknown/v2": validity(false),
  "pubkey: isvalid-own-key/api/v1": validity(true),
  "pubkey: isvalid-other-key/api/v1": validity(false),
  "pubkey: isvalid-no-key/api/v1": rejected(400, "M_MISSING_PARAMS"),
  "pubkey: ephemeral-isvalid-unknown/api/v1": validity(false),
  "pubkey: isvalid-own-key-not-percent-encoded": validity(false),
  "pubkey: isvalid-own-key-padded": validity(false),
  "pubkey: isvalid-own-key-urlsafe": validity(false),
  "store-invite: store-invite": stored,
  "store-invite: store-invite-minimal": stored,
  "store-invite: store-invite-short-address": stored,
  "store-invite: store-invite-other-sender": rejected(403, "M_UNAUTHORIZED"),
  "store-invite: store-invite-no-token": rejected(400, "M_BAD_JSON"),
  "store-invite: store-invite-msisdn": rejected(400, "M_UNRECOGNIZED"),
  "store-invite: store-invite-missing-room": rejected(400, "M_MISSING_PARAMS"),
  "store-invite: store-invite-bad-address": rejected(500, "M_UNKNOWN"),
  "store-invite: store-invite-empty-address": rejected(400, "M_INVALID_PARAM"),
  "store-invite: store-invite-long-address": rejected(400, "M_INVALID_PARAM"),
  "store-invite: ephemeral-isvalid": validity(true),
  "store-invite: ephemeral-isvalid-v1": validity(true),
  "store-invite: ephemeral-key-at-isvalid": validity(false),
  "store-invite: own-key-at-ephemeral-isvalid": validity(false),
};

const spoken = clientExchanges.flatMap((exchange) => {
  const call = callOf(exchange);
  return call === undefined ? [] : [{ exchange, call }];
});

describe("what a real identity server answered to clients", () => {
  it("has an expected outcome for each exchange that the client can make", () => {
    expect(spoken.map(({ exchange }) => exchange.name).sort()).toEqual(Object.keys(expected).sort());
  });

  it.each(spoken.map((one) => [one.exchange.name, one] as const))("%s", async (name, { exchange, call }) => {
    const replayed = await replay(exchange, call);
    const outcome = expected[name];
    expect(replayed.outcome).toEqual(
      typeof outcome === "function" ? outcome(exchange.response.body) : outcome,
    );
    expectSent(replayed, exchange);
  });
});

/** The outcome of a good answer, told by its own members. */
const outcomeOf = ({ response: { body } }: CapturedExchange): unknown => {
  if (!isJsonObject(body)) return undefined;
  const { mappings: found, valid } = body;
  if (isJsonObject(found)) return { _tag: "Mappings", userIds: new Map(Object.entries(found)) };
  return typeof valid === "boolean" ? validity(valid) : stored(body);
};

describe("what a real identity server answered to homeservers", () => {
  it.each(homeserverExchanges.map((one) => [one.name, one] as const))("%s", async (_, exchange) => {
    const call = callOf(exchange);
    expect(call).toBeDefined();
    if (call === undefined) return;
    const replayed = await replay(exchange, call);
    expect(replayed.outcome).toEqual(outcomeOf(exchange));
    expectSent(replayed, exchange);
  });
});

const unspoken = clientExchanges.filter((exchange) => callOf(exchange) === undefined);

describe("what a real identity server answered elsewhere is a typed outcome of every call", () => {
  it.each(callNames)("%s", async (name: CallName) => {
    expect(unspoken.length).toBeGreaterThan(40);
    let current = 0;
    const server = await openRawTls((socket) => {
      const exchange = unspoken[current];
      if (exchange !== undefined) socket.write(wire(exchange.response));
    });
    const fetch = await fetchTo(server.port);
    for (const [at, { response }] of unspoken.entries()) {
      current = at;
      const outcome = await calls[name](identityServerClient({ fetch }));
      expect(outcome).toSatisfy(() => isOutcomeOf(name, outcome), unspoken[at]?.name);
      // Nothing elsewhere looks like an answer of these three; store-invite's own is checked by the core.
      if (name !== "storeInvite" || response.status !== 200)
        expect(["Malformed", "Rejected", "Unauthorized"], unspoken[at]?.name).toContain(outcome._tag);
    }
    // Whatever was answered, the connection serves the next request; but store-invite has one of its own.
    expect(server.connections().made).toBeLessThanOrEqual(name === "storeInvite" ? unspoken.length : 2);
  });
});
