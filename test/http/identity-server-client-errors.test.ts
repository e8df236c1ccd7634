import { identityServerClient } from "matrix-third-party-invites/http";
import { describe, expect, it, vi } from "vitest";
import {
  type CallName,
  access,
  callNames,
  calls,
  goodAnswers,
  goodOutcomes,
  inviteRequest,
  lookupRequest,
} from "./identity-server-calls.js";
import { fetchTo, http, json, openRawTls, patient } from "./raw-tls-server.js";

const malformed = { _tag: "Malformed" };
const unauthorized = { _tag: "Unauthorized" };
const limited = (retryAfterMs?: number) => ({
  _tag: "RateLimited",
  ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
});
const rejected = (status: number, errcode: string) => ({ _tag: "Rejected", errcode, status });

/** What each of these calls makes of these bytes; each asks once. */
const allAnswered = async (names: readonly CallName[], bytes: Uint8Array): Promise<readonly unknown[]> => {
  const server = await openRawTls((socket) => socket.write(bytes));
  const client = identityServerClient({ ...patient, fetch: await fetchTo(server.port) });
  const outcomes: unknown[] = [];
  for (const name of names) outcomes.push(await calls[name](client));
  expect(server.received).toHaveLength(names.length);
  return outcomes;
};

const answered = async (name: CallName, bytes: Uint8Array): Promise<unknown> =>
  (await allAnswered([name], bytes))[0];

const html = (status: number): Buffer => http(status, { "content-type": "text/html" }, "<h1>Sorry</h1>");

const limit = (retryAfter: string | undefined, body: object = { errcode: "M_UNKNOWN" }): Buffer =>
  json(429, body, retryAfter === undefined ? {} : { "retry-after": retryAfter });

const text = (status: number, body: string | Uint8Array): Buffer =>
  http(status, { "content-type": "application/json" }, body);

/** Answers that mean the same whatever was asked. */
const everywhere: readonly (readonly [string, Buffer, object])[] = [
  ["429 with M_UNKNOWN and no Retry-After", limit(undefined), limited()],
  ["429 without JSON", html(429), limited()],
  ["429 with Retry-After in seconds", limit("7"), limited(7_000)],
  ["429 with Retry-After: 0", limit("0"), limited(0)],
  ["429 with nonsense in Retry-After", limit("perhaps 2099"), limited()],
  ["429 with a negative Retry-After", limit("-5"), limited()],
  ["429 with an endless Retry-After", limit("9".repeat(400)), limited()],
  ["429 with an empty Retry-After", limit(""), limited()],
  ["429 with a date long past", limit("Wed, 21 Oct 2015 07:28:00 GMT"), limited()],
  ["429 with retry_after_ms", limit(undefined, { retry_after_ms: 1500 }), limited(1_500)],
  ["429 with part of a millisecond", limit(undefined, { retry_after_ms: 0.5 }), limited(1)],
  ["429 with 2000.0 in retry_after_ms", text(429, '{"retry_after_ms":2000.0}'), limited(2_000)],
  ["429 with 1e400 in retry_after_ms", text(429, '{"retry_after_ms":1e400}'), limited()],
  ["429 with a negative retry_after_ms", limit(undefined, { retry_after_ms: -1 }), limited()],
  ["429 with text in retry_after_ms", limit(undefined, { retry_after_ms: "1500" }), limited()],
  ["429 with both: the header counts", limit("7", { retry_after_ms: 1500 }), limited(7_000)],
  ["429 with nonsense and retry_after_ms", limit("soon", { retry_after_ms: 1500 }), limited(1_500)],
  ["400 M_LIMIT_EXCEEDED", json(400, { errcode: "M_LIMIT_EXCEEDED" }), limited()],
  ["403 M_TERMS_NOT_SIGNED", json(403, { errcode: "M_TERMS_NOT_SIGNED" }), { _tag: "TermsNotSigned" }],
  ["401 M_UNAUTHORIZED", json(401, { errcode: "M_UNAUTHORIZED" }), unauthorized],
  ["401 without JSON", html(401), malformed],
  ["403 M_UNKNOWN_TOKEN", json(403, { errcode: "M_UNKNOWN_TOKEN" }), unauthorized],
  ["400 M_MISSING_TOKEN", json(400, { errcode: "M_MISSING_TOKEN" }), unauthorized],
  ["403 M_UNAUTHORIZED", json(403, { errcode: "M_UNAUTHORIZED" }), rejected(403, "M_UNAUTHORIZED")],
  ["403 M_FORBIDDEN", json(403, { errcode: "M_FORBIDDEN" }), rejected(403, "M_FORBIDDEN")],
  ["403 without JSON", html(403), malformed],
  [
    "500 M_TERMS_NOT_SIGNED",
    json(500, { errcode: "M_TERMS_NOT_SIGNED" }),
    rejected(500, "M_TERMS_NOT_SIGNED"),
  ],
  ["502 M_MISSING_TOKEN", json(502, { errcode: "M_MISSING_TOKEN" }), rejected(502, "M_MISSING_TOKEN")],
  ["503 M_LIMIT_EXCEEDED", json(503, { errcode: "M_LIMIT_EXCEEDED" }), rejected(503, "M_LIMIT_EXCEEDED")],
  ["500 with JSON", json(500, { errcode: "M_UNKNOWN" }), rejected(500, "M_UNKNOWN")],
  ["500 without JSON", html(500), malformed],
  ["502 of a proxy", html(502), malformed],
  ["404 in HTML", html(404), malformed],
  ["200 in HTML", html(200), malformed],
  ["200 with success: false", json(200, { success: false }), malformed],
  ["200 with errcode", json(200, { errcode: "M_UNKNOWN" }), rejected(200, "M_UNKNOWN")],
  ["an errcode that is no text", json(400, { errcode: 7 }), malformed],
  ["an errcode in another object's prototype", text(400, '{"__proto__":{"errcode":"M_X"}}'), malformed],
  ["an empty body", text(200, ""), malformed],
  ["204", Buffer.from("HTTP/1.1 204 No Content\r\n\r\n"), malformed],
  ["null", text(200, "null"), malformed],
  ["a list", text(200, "[]"), malformed],
  ["half a JSON", text(200, '{"valid":tr'), malformed],
  ["two JSONs", text(200, "{}{}"), malformed],
  ["a deep JSON", text(200, "[".repeat(60_000)), malformed],
  ["no UTF-8", text(200, Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d)), malformed],
  ["UTF-16", text(200, Buffer.from("{}", "utf16le")), malformed],
];

describe("means the same whatever was asked", () => {
  it.each(everywhere)("%s", async (_, bytes, outcome) => {
    expect(await allAnswered(callNames, bytes)).toEqual(callNames.map(() => outcome));
  });

  it("429 with an HTTP date in Retry-After", async () => {
    const date = new Date(Date.now() + 60_000).toUTCString();
    for (const outcome of await allAnswered(callNames, limit(date))) {
      expect(outcome).toEqual(limited(expect.any(Number) as number));
      const { retryAfterMs } = outcome as { readonly retryAfterMs: number };
      expect(Math.abs(retryAfterMs - 55_000)).toBeLessThanOrEqual(5_000);
    }
  });
});

describe.each(callNames)("%s", (name) => {
  const good = goodAnswers[name] as object;

  it.each([
    ["comes with success: false", 200, { ...good, success: false }],
    ["comes with an errcode", 200, { ...good, errcode: "M_UNKNOWN" }],
    ["comes with 201", 201, good],
    ["comes with 302", 302, good],
    ["comes with 500", 500, good],
  ])("a good answer that %s is none", async (_, status, body) => {
    expect(["Malformed", "Rejected"]).toContain(
      ((await answered(name, json(status, body))) as { readonly _tag: string })._tag,
    );
  });

  it.each([
    ["with another content type", http(200, { "content-type": "text/html" }, JSON.stringify(good))],
    ["after a byte order mark", http(200, {}, `\uFEFF${JSON.stringify(good)}`)],
    ["without a content type", http(200, {}, JSON.stringify(good))],
    ["after an interim answer", Buffer.concat([Buffer.from("HTTP/1.1 103 x\r\n\r\n"), json(200, good)])],
    [
      "in chunks",
      Buffer.from(
        `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n${Array.from(JSON.stringify(good), (character) => `1\r\n${character}\r\n`).join("")}0\r\n\r\n`,
      ),
    ],
  ])("a good answer %s is good", async (_, bytes) => {
    expect(await answered(name, bytes)).toEqual(goodOutcomes[name]);
  });
});

/** Answers to one call with a member of the wrong type. */
const wrongTypes: readonly (readonly [CallName, string])[] = [
  ["hashDetails", "{}"],
  ["hashDetails", '{"lookup_pepper":"p"}'],
  ["hashDetails", '{"algorithms":["sha256"]}'],
  ["hashDetails", '{"lookup_pepper":1,"algorithms":["sha256"]}'],
  ["hashDetails", '{"lookup_pepper":null,"algorithms":["sha256"]}'],
  ["hashDetails", `{"lookup_pepper":"${"p".repeat(1025)}","algorithms":["sha256"]}`],
  ["hashDetails", '{"lookup_pepper":"p","algorithms":"sha256"}'],
  ["hashDetails", '{"lookup_pepper":"p","algorithms":{"0":"sha256"}}'],
  ["hashDetails", '{"__proto__":{"lookup_pepper":"p","algorithms":["sha256"]}}'],
  ["lookup", "{}"],
  ["lookup", '{"mappings":[]}'],
  ["lookup", '{"mappings":null}'],
  ["lookup", '{"mappings":"asked"}'],
  ["lookup", '{"mappings":1.0}'],
  ["lookup", '{"mappings":{"asked":null}}'],
  ["lookup", '{"mappings":{"asked":["@zoe:example.org"]}}'],
  ["lookup", '{"mappings":{"asked":1.0}}'],
  ["lookup", '{"mappings":{"__proto__":{"asked":"@zoe:example.org"}}}'],
  ["lookup", '{"__proto__":{"mappings":{}}}'],
  ["storeInvite", '"token"'],
  ["storeInvite", "1.0"],
  ["keyValidity", "{}"],
  ["keyValidity", '{"valid":"true"}'],
  ["keyValidity", '{"valid":1}'],
  ["keyValidity", '{"valid":null}'],
  ["keyValidity", '{"valid":true,"valid":false}'],
  ["keyValidity", '{"__proto__":{"valid":true}}'],
  ["keyValidity", "true"],
];

it.each(wrongTypes)("%s takes %s for no answer", async (name, body) => {
  expect(await answered(name, text(200, body))).toEqual(malformed);
});

describe("hashDetails", () => {
  it("passes over algorithms that are no text", async () => {
    expect(
      await answered("hashDetails", text(200, '{"lookup_pepper":"","algorithms":[1,"none",null]}')),
    ).toEqual({ _tag: "HashDetails", pepper: "", algorithms: ["none"] });
  });
});

describe("lookup", () => {
  it("maps what was asked and nothing else, whatever it is called", async () => {
    const mappings =
      '{"asked":"@a:x","more":"@b:x","__proto__":"@c:x","toString":"@d:x","constructor":"not a user"}';
    expect(await answered("lookup", text(200, `{"mappings":${mappings}}`))).toEqual({
      _tag: "Mappings",
      userIds: new Map([
        ["asked", "@a:x"],
        ["__proto__", "@c:x"],
        ["constructor", "not a user"],
      ]),
    });
  });

  it("asks for the hash details anew once a pepper was refused", async () => {
    const refusal = {
      errcode: "M_INVALID_PEPPER",
      error: "pepper does not match 'new'",
      algorithm: "sha256",
      lookup_pepper: "new",
    };
    let pepper = "old";
    const server = await openRawTls((socket, { target }) =>
      socket.write(
        target.endsWith("hash_details")
          ? json(200, { lookup_pepper: pepper, algorithms: ["sha256"] })
          : json(400, refusal),
      ),
    );
    const client = identityServerClient({ ...patient, fetch: await fetchTo(server.port) });
    const details = (of: string) => ({ _tag: "HashDetails", pepper: of, algorithms: ["sha256"] });
    expect(await client.hashDetails(access, {})).toEqual(details("old"));
    pepper = "new";
    expect(await client.hashDetails(access, {})).toEqual(details("old"));
    expect(await client.lookup(lookupRequest, {})).toEqual({ _tag: "InvalidPepper" });
    expect(await client.hashDetails(access, {})).toEqual(details("new"));
    expect(server.received.map(({ target }) => target.split("/").at(-1))).toEqual([
      "hash_details",
      "lookup",
      "hash_details",
    ]);
  });
});

describe("storeInvite", () => {
  const inUse = { errcode: "M_THREEPID_IN_USE" };
  const exists = { errcode: "M_ALREADY_EXISTS" };
  it.each([
    ["names the user that is bound", 400, { ...inUse, mxid: "@zoe:example.org" }, "@zoe:example.org"],
    ["says so where the answer names nobody", 400, inUse, undefined],
    ["passes on what is no user, unchecked", 400, { ...inUse, mxid: 7 }, 7],
    ["knows the errcode of another identity server", 400, exists, undefined],
    ["and the user that it may name", 400, { ...exists, mxid: "@zoe:example.org" }, "@zoe:example.org"],
    ["goes by the errcode, not by the status", 200, { ...inUse, mxid: "@zoe:x" }, "@zoe:x"],
  ])("%s", async (_, status, body, userId) => {
    expect(await answered("storeInvite", json(status, body))).toEqual({ _tag: "AlreadyBound", userId });
  });

  it("gives the whole answer as it came", async () => {
    expect(await answered("storeInvite", text(200, '{"token":1,"__proto__":[]}'))).toEqual({
      _tag: "Stored",
      answer: JSON.parse('{"token":1,"__proto__":[]}') as unknown,
    });
  });

  it("sends an invite of any text as JSON", async () => {
    const server = await openRawTls((socket) => socket.write(json(200, {})));
    const client = identityServerClient({ ...patient, fetch: await fetchTo(server.port) });
    const invite = { ...inviteRequest.invite, room_name: '"\r\n\u2028ß🎉' };
    await client.storeInvite({ ...inviteRequest, invite }, {});
    expect(JSON.parse(server.received[0]?.body ?? "")).toEqual(invite);
  });
});

describe("redirects", () => {
  it.each([301, 302, 303, 307, 308])("%i leads nowhere: the other host hears nothing", async (status) => {
    const other = await openRawTls((socket) => socket.write(json(200, { valid: true })));
    const location = `https://localhost:${other.port}/`;
    const server = await openRawTls((socket) => socket.write(http(status, { location }, "")));
    const fetch = await fetchTo(server.port);
    for (const name of callNames)
      expect(await calls[name](identityServerClient({ fetch })), name).toEqual(malformed);
    expect(server.received).toHaveLength(callNames.length);
    expect(other.connections().made).toBe(0);
  });

  it("a loop is asked for once", async () => {
    const server = await openRawTls((socket, { target }) =>
      socket.write(http(301, { location: target }, "")),
    );
    const client = identityServerClient({ ...patient, fetch: await fetchTo(server.port) });
    expect(await calls.storeInvite(client)).toEqual(malformed);
    expect(server.received).toHaveLength(1);
  });
});

describe("what cannot be asked is never sent", () => {
  const never = { _tag: "Unreachable", sent: false };

  it.each([
    ["an http URL", "http://id.example/isvalid?public_key=a"],
    ["a data URL", 'data:application/json,{"valid":true}'],
    ["a blob URL", "blob:https://id.example/1"],
    ["a file", "file:///etc/hostname"],
    ["no URL", "id.example/isvalid"],
    ["an empty text", ""],
  ])("%s as the URL of a key", async (_, url) => {
    const fetch = vi.fn(() => Promise.resolve(Response.json({ valid: true })));
    expect(await identityServerClient({ fetch }).keyValidity(url, {})).toEqual(never);
    expect(fetch).not.toHaveBeenCalled();
  });

  it.each(["a\r\nhost: elsewhere.example", "a\u0000", "ł"])("the token %j", async (accessToken) => {
    const fetch = vi.fn(() => Promise.resolve(Response.json({})));
    const client = identityServerClient({ fetch });
    expect(await client.hashDetails({ ...access, accessToken }, {})).toEqual(never);
    expect(await client.storeInvite({ ...inviteRequest, accessToken }, {})).toEqual(never);
    expect(fetch).not.toHaveBeenCalled();
  });
});
