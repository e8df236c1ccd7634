import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { createIdentityServer } from "matrix-third-party-invites/testing";
import { type JsonObject, isJsonObject, member } from "../../../src/matrix/json.js";
import { call, isSigned, seeded, textAt } from "./world.js";

/** What a real server, Sydent 2.6.1, answered; a body of `null` was no JSON. */
interface Exchange {
  readonly name: string;
  readonly request: {
    readonly method: string;
    readonly path: string;
    readonly token?: string;
    readonly body?: unknown;
  };
  readonly response: { readonly status: number; readonly body: JsonObject | null };
  /** The secret that was mailed. */
  readonly mailed?: string;
}

const read = (name: string): string =>
  readFileSync(new URL(`./captures/${name}.json`, import.meta.url), "utf8");

const exchanges = (name: string): readonly Exchange[] => JSON.parse(read(name)) as readonly Exchange[];

/** Where this server answers differently: what the specification says instead. */
const differences: Readonly<
  Record<string, { readonly status: number; readonly errcode: string; readonly why: string }>
> = {
  "account-token-in-query": {
    status: 401,
    errcode: "M_UNAUTHORIZED",
    why: "a token in the query string is not read",
  },
  "store-invite-no-token": { status: 401, errcode: "M_UNAUTHORIZED", why: "the endpoint needs an account" },
  "store-invite-bad-address": { status: 400, errcode: "M_INVALID_PARAM", why: "it is the request's fault" },
  "sign-ed25519-bad-key": { status: 400, errcode: "M_INVALID_PARAM", why: "it is the request's fault" },
  "submitToken-wrong": {
    status: 400,
    errcode: "M_TOKEN_INCORRECT",
    why: "the specification names this errcode",
  },
  "requestToken-bad-email": {
    status: 400,
    errcode: "M_INVALID_EMAIL",
    why: "the specification names this errcode",
  },
  "unknown-path": { status: 404, errcode: "M_UNRECOGNIZED", why: "the errcode of an unknown path" },
  "pubkey-unknown-id": { status: 404, errcode: "M_NOT_FOUND", why: "the errcode of an unknown key" },
};

const alice = "@alice-d1db74:localhost:28481";
const bob = "@bob-d1db74:localhost:28481";
const carol = "@carol-d1db74:localhost:28482";

const server = createIdentityServer({
  serverName: "localhost:28443",
  baseUrl: "https://localhost:28443",
  random: seeded(5),
  resolveOpenId: ({ accessToken, serverName }) => {
    if (serverName !== "localhost:28481") throw new Error("connection refused");
    return accessToken === "TyyhHavCSviopGWVUgsXbUEb" ? alice : undefined;
  },
});
// A key with a + and a /, as the captured one has: some requests are about them.
server.rotateKey(new Uint8Array(32).fill(2));
server.rotatePepper("8DhPj");

/** What the captured server made up, and what this one made up in its place. */
const ours = new Map<string, string>([
  ["Fs9Ngn7UGUq2HmGEib9S+p6YZTvwT/8TdGEJvpXJtDE", server.publicKey],
  ["TNYGKCTrfDd7GeLiPA4IFPqvY7p4cY3Twpgifvf2wE1TzuJiQDjlbGmHgkJYMRKE", server.account(bob)],
  ["46aJ93xMCatiA22X2TpZGKctx30MIows2640STQtrGKC5bzgHvsfhfji537CNPIM", server.account(carol)],
  ["Dz9eXoYLYrtye6b7ETWHyJXCZlnHe4BEVZx1aJVJSAnzjqW3w5xeME6KUmNCbQms", server.account(alice)],
]);

const translate = (text: string): string => {
  let translated = text;
  for (const [captured, made] of ours)
    translated = translated
      .replaceAll(captured, made)
      .replaceAll(encodeURIComponent(captured), encodeURIComponent(made));
  return translated;
};

const madeUp = new Set(["token", "access_token", "sid", "public_key"]);

const learn = (captured: unknown, answered: unknown): void => {
  if (Array.isArray(captured))
    for (const [at, item] of captured.entries())
      learn(item, Array.isArray(answered) ? answered[at] : undefined);
  else if (isJsonObject(captured))
    for (const [key, value] of Object.entries(captured)) {
      const answer = member(answered, key);
      if (madeUp.has(key) && typeof value === "string" && typeof answer === "string") ours.set(value, answer);
      else learn(value, answer);
    }
};

/** Names and types of all that JSON holds, and the truth values; of a list, what its items have in common. */
const shape = (value: unknown): unknown => {
  if (Array.isArray(value)) return [...new Set(value.map((item) => JSON.stringify(shape(item))))];
  if (isJsonObject(value))
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, shape(item)]));
  return typeof value === "boolean" ? value : typeof value;
};

const groups = [
  ...["versions", "account", "pubkey", "lookup-before-bind", "store-invite", "sign-ed25519"],
  ...["bind-with-invites", "bind", "lookup", "unbind"],
];

describe.each(groups)("as captured: %s", (group) => {
  if (group === "bind")
    beforeAll(async () => {
      // A session that was opened before the capture began.
      const { body } = await call(server, "POST", "validate/email/requestToken", {
        token: ours.get("TNYGKCTrfDd7GeLiPA4IFPqvY7p4cY3Twpgifvf2wE1TzuJiQDjlbGmHgkJYMRKE"),
        body: { client_secret: "secd1db74", email: "other-d1db74@example.org", send_attempt: 1 },
      });
      ours.set("1548054577", textAt(body, "sid"));
    });

  it.each(exchanges(group))("$name", async ({ name, request, response, mailed }) => {
    const reply = await call(server, request.method, translate(request.path), {
      token: request.token === undefined ? undefined : translate(request.token),
      body:
        request.body === undefined
          ? undefined
          : typeof request.body === "string"
            ? request.body
            : translate(JSON.stringify(request.body)),
    });
    const difference = differences[name];
    expect(reply.status).toBe(difference?.status ?? response.status);
    if (difference !== undefined) {
      expect(reply.body["errcode"]).toBe(difference.errcode);
      return;
    }
    if (response.body === null) return;
    expect(reply.body["errcode"]).toBe(response.body["errcode"]);
    expect(shape(reply.body)).toEqual(shape(response.body));
    if (reply.status !== 200) return;
    learn(response.body, reply.body);
    if (mailed === undefined) return;
    const mail = server.outbox.at(-1);
    ours.set(mailed, textAt(mail, mail?.kind === "invite" ? "privateKey" : "token"));
  });
});

it("every difference is one of a captured request", () => {
  const names = groups.flatMap((group) => exchanges(group).map(({ name }) => name));
  expect(names).toEqual(expect.arrayContaining(Object.keys(differences)));
});

describe("the captured onbind", () => {
  const captured: unknown = JSON.parse(read("onbind"));
  const publicKey = "Fs9Ngn7UGUq2HmGEib9S+p6YZTvwT/8TdGEJvpXJtDE";

  it("verifies as captured, by both engines", () => {
    const body = member(captured, "body");
    expect(isSigned(body, publicKey, "localhost:28443")).toBe(true);
    const [invite] = [member(body, "invites")].flat();
    expect(isSigned(member(invite, "signed"), publicKey, "localhost:28443")).toBe(true);
  });

  it("is what this server sends, made-up things aside", async () => {
    const received: unknown[] = [];
    const made = createIdentityServer({
      serverName: "localhost:28443",
      baseUrl: "https://localhost:28443",
      random: seeded(6),
      fetch: async (url, init) => {
        const request = new Request(url, init);
        received.push({ method: request.method, path: new URL(url).pathname, body: await request.json() });
        return new Response("{}");
      },
    });
    await call(made, "POST", "store-invite", {
      token: made.account(alice),
      body: {
        medium: "email",
        address: "Zoe.Guest-d1db74@Example.org",
        room_id: "!room-d1db74:localhost:28481",
        sender: alice,
      },
    });
    made.bindDirectly({ medium: "email", address: "zoe.guest-d1db74@example.org" }, carol);
    await made.deliverDue();
    const invent = (text: string): string =>
      text
        .replaceAll(/"(token|ed25519:0)":"[^"]*"/g, '"$1":"…"')
        .replaceAll(/"(ts|not_before|not_after)":\d+/g, '"$1":0');
    expect(JSON.parse(invent(JSON.stringify(received[0])))).toEqual(
      JSON.parse(invent(JSON.stringify(captured))),
    );
  });
});
