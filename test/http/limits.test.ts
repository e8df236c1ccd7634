import {
  exchangeEndpoint,
  identityServerClient,
  inviteEndpoint,
  onBindEndpoint,
} from "matrix-third-party-invites/http";
import { guardedFetch } from "matrix-third-party-invites/node";
import { describe, expect, it } from "vitest";
import { readBody } from "../../src/http/read-body.js";
import { mountedExchange, mountedInvite, mountedOnBind, openHost } from "./host.js";

const noTimes = [NaN, -1, "5", null];
const noSizes = [...noTimes, Infinity, 1.5];
const cases = (names: readonly string[], values: readonly unknown[]) =>
  names.flatMap((name) => values.map((value) => [name, value] as const));

describe("a limit that is none is an error where it is given", () => {
  it.each([...cases(["maxBytes"], noSizes), ...cases(["timeoutMs"], noTimes)])(
    "of an endpoint, %s: %s",
    (name, value) => {
      for (const mounted of [mountedInvite, mountedOnBind, mountedExchange])
        expect(() => mounted.open(openHost(), { [name]: value })).toThrow(new RegExp(`^${name} must be `));
    },
  );

  const withoutAuthenticate = { authenticate: undefined } as unknown as { authenticate: never };

  it.each([
    ["no fetch", {}, "fetch must be a function."],
    ["a userAgent that no header holds", { fetch, userAgent: "a\r\nb: c" }, "invalid header value"],
  ])("of the client of identity servers, %s", (_, options, sentence) => {
    const made = () => identityServerClient(options as { readonly fetch: typeof fetch });
    expect(made).toThrow(TypeError);
    expect(made).toThrow(sentence);
  });

  it.each([
    ["invite", () => inviteEndpoint(openHost().invites, withoutAuthenticate)],
    ["exchange", () => exchangeEndpoint(openHost().invites, withoutAuthenticate)],
  ] as const)("of the endpoint %s, a missing authenticate", (_, made) => {
    expect(made).toThrow(new TypeError("authenticate must be a function."));
  });

  it.each([
    ["invite", () => inviteEndpoint(openHost().invites, undefined as never)],
    ["onbind", () => onBindEndpoint(openHost().invites, null as never)],
    ["exchange", () => exchangeEndpoint(openHost().invites, undefined as never)],
  ] as const)("of the endpoint %s, no options where it has to have some", (_, made) => {
    expect(made).toThrow(new TypeError("host must be an object."));
  });

  const authenticate = () => ({ _tag: "Denied", status: 401, body: {} }) as const;
  const { invites } = openHost();
  const none = {} as unknown as typeof invites;

  it.each<readonly [string, (wrong: never) => unknown]>([
    ["invites.invite", () => inviteEndpoint(none, { authenticate })],
    ["invites.receiveOnBind", () => onBindEndpoint(none)],
    ["invites.receiveExchange", () => exchangeEndpoint(none, { authenticate })],
    ["onError", (onError) => onBindEndpoint(invites, { onError })],
    ["wake", (wake) => onBindEndpoint(invites, { wake })],
    ["roomId", (roomId) => inviteEndpoint(invites, { authenticate, roomId })],
  ])("of an endpoint, a function that is none: %s", (name, made) => {
    expect(() => made("deliverOwed" as never)).toThrow(new TypeError(`${name} must be a function.`));
  });

  it.each([
    ...cases(["maxBytes"], noSizes),
    ...cases(["headersTimeoutMs", "bodyTimeoutMs", "hashDetailsMs"], noTimes),
  ])("of the client of identity servers, %s: %s", (name, value) => {
    const made = () => identityServerClient({ fetch, [name]: value });
    expect(made).toThrow(TypeError);
    expect(made).toThrow(new RegExp(`^${name} must be `));
  });

  it("undefined is the default", () => {
    const none = { maxBytes: undefined, headersTimeoutMs: undefined } as unknown as { maxBytes: number };
    expect(() => identityServerClient({ fetch, ...none })).not.toThrow();
  });

  it.each([NaN, -1, 0, "soon"])("of the guarded fetch, connectTimeoutMs: %s", async (value) => {
    await expect(guardedFetch({ connectTimeoutMs: value as number })).rejects.toThrow(
      /^connectTimeoutMs must be /,
    );
  });
});

it("a body without a size that it may have is too large", async () => {
  const body = new Response("x").body;
  expect(await readBody(body, { maxBytes: NaN, timeoutMs: 1_000 })).toEqual({ _tag: "TooLarge" });
});
