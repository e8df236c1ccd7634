import { createServer } from "node:http";
import { signJson } from "matrix-third-party-invites/matrix";
import type { JsonObject } from "matrix-third-party-invites/ports";
import type { Endpoint } from "matrix-third-party-invites/http";
import { nodeSigningKey } from "matrix-third-party-invites/node";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { must } from "../flows/samples.js";
import { example, frameworks } from "./examples.js";
import { answerOf, mountedInvite, openHost, shortly } from "./host.js";
import { type Listening, listener, listenOn, serve, speak } from "./socket.js";

const alice = "@alice:example.org";
const token = { authorization: "Bearer alices-token" };
const json = { "content-type": "application/json" };
const other = nodeSigningKey("ed25519:7", new Uint8Array(32).fill(7));

const inviteBody = async (address: string): Promise<JsonObject> => ({
  id_server: "id.example",
  id_access_token: (await example("ports.js")).identity.account(alice),
  medium: "email",
  address,
});

const xMatrix = (
  uri: string,
  content: JsonObject,
  more: JsonObject = {},
): Readonly<Record<string, string>> => {
  const request = { method: "PUT", uri, origin: "b.example", destination: "example.org", content, ...more };
  const { signatures } = must(signJson(request, "b.example", other)) as unknown as {
    readonly signatures: { readonly "b.example": { readonly "ed25519:7": string } };
  };
  const sig = signatures["b.example"]["ed25519:7"];
  return {
    ...json,
    authorization: `X-Matrix origin="b.example",destination="example.org",key="ed25519:7",sig="${sig}"`,
  };
};

describe.each(frameworks)("on %s", (name, listen) => {
  let at: Listening;
  let roomId: string;

  beforeAll(async () => {
    const { ports, serverKeys } = await example("ports.js");
    roomId = ports.memory.create({ version: "12", creator: alice });
    serverKeys.set("b.example ed25519:7", other.publicKey);
    at = await listen();
  });
  afterAll(() => at.close());

  const ask = (path: string, method: string, headers: Readonly<Record<string, string>>, body?: string) =>
    answerOf(fetch(at.url + path, { method, headers, ...(body === undefined ? {} : { body }) }));
  const invitePath = (id: string): string => `/_matrix/client/v3/rooms/${id}/invite`;
  const exchangePath = (id: string): string => `/_matrix/federation/v1/exchange_third_party_invite/${id}`;
  const onBind = "/_matrix/federation/v1/3pid/onbind";

  it("a user invites somebody by address", async () => {
    for (const [index, id] of [roomId, encodeURIComponent(roomId)].entries()) {
      const body = JSON.stringify(await inviteBody(`zoe${index}@${name.length}.example`));
      const answered = await ask(invitePath(id), "POST", { ...json, ...token }, body);
      expect([answered.status, answered.body]).toEqual([200, {}]);
      expect(answered.headers.get("access-control-allow-origin")).toBe("*");
    }
  });

  it("a body in chunks is taken, too", async () => {
    const body = JSON.stringify(await inviteBody(`chunk@${name.length}.example`));
    const raw = await speak(at.port, ({ write }) => {
      write(
        [
          `POST ${invitePath(roomId)} HTTP/1.1`,
          "host: example.org",
          "authorization: Bearer alices-token",
          "content-type: application/json",
          "transfer-encoding: chunked",
          "",
          body.length.toString(16),
          body,
          "0",
          "",
          "",
        ].join("\r\n"),
      );
    });
    expect([raw.status, raw.body]).toEqual([200, "{}"]);
  });

  it.each([
    ["no token", {}, "M_MISSING_TOKEN"],
    ["an unknown token", { authorization: "Bearer x" }, "M_UNKNOWN_TOKEN"],
  ])("%s is 401", async (_, headers, errcode) => {
    const answered = await ask(invitePath(roomId), "POST", { ...json, ...headers }, "{}");
    expect(shortly(answered)).toEqual([401, errcode]);
  });

  it("a preflight is 204, and another method 405", async () => {
    const preflight = await fetch(at.url + invitePath(roomId), { method: "OPTIONS" });
    expect([preflight.status, preflight.headers.get("access-control-allow-origin")]).toEqual([204, "*"]);
    const answered = await ask(invitePath(roomId), "DELETE", token);
    expect([...shortly(answered), answered.headers.get("allow")]).toEqual([405, "M_UNRECOGNIZED", "POST"]);
  });

  it("a room ID may be as long as one can be, and have a slash in it", async () => {
    const long = encodeURIComponent(`!${"/".repeat(254)}`);
    const body = JSON.stringify(await inviteBody("zoe@long.example"));
    expect(shortly(await ask(invitePath(long), "POST", { ...json, ...token }, body))).toEqual([
      403,
      "M_FORBIDDEN",
    ]);
  });

  it.each(["PUT", "POST"])("an identity server delivers by %s, more than 1 MiB", async (method) => {
    const body = JSON.stringify({ mxid: alice, invites: [], padding: " ".repeat(2 ** 20) });
    const answered = await ask(onBind, method, json, body);
    expect([answered.status, answered.body]).toEqual([200, {}]);
  });

  it("another server's request counts where it is signed over path and content", async () => {
    const [path, content] = [exchangePath(encodeURIComponent(roomId)), { type: "m.room.member" }];
    const send = (headers: Readonly<Record<string, string>>) =>
      ask(path, "PUT", headers, JSON.stringify(content)).then(shortly);
    // It is let in, and its content is judged.
    expect(await send(xMatrix(path, content))).toEqual([400, "M_INVALID_PARAM"]);
    const denied = [401, "M_UNAUTHORIZED"];
    expect(await send(json)).toEqual(denied);
    expect(await send(xMatrix(exchangePath("!other"), content))).toEqual(denied);
    expect(await send(xMatrix(path, { type: "m.room.name" }))).toEqual(denied);
    expect(await send(xMatrix(path, content, { destination: "other.example" }))).toEqual(denied);
    expect(await send(xMatrix(path, content, { method: "POST" }))).toEqual(denied);
  });
});

describe("where the body has been parsed already", () => {
  let at: Listening | undefined;
  afterEach(() => at?.close());

  const endpoint: Endpoint = (request) => mountedInvite.open(openHost())(request);
  const own = JSON.stringify(mountedInvite.body);
  const send = async (listening: Listening, body: string | ReadableStream = own) => {
    at = listening;
    const init = {
      method: "POST",
      headers: json,
      body,
      ...(typeof body === "string" ? {} : { duplex: "half" }),
    };
    return answerOf(fetch(listening.url + mountedInvite.path, init as RequestInit));
  };
  const symptom = {
    errcode: "M_UNKNOWN",
    error: "The body had been read before it came here.",
  };

  const parsed: readonly (readonly [string, () => Promise<Listening>])[] = [
    [
      "Express, express.json() first",
      async () => {
        const { default: express } = await import("express");
        const app = express();
        app.use(express.json());
        app.all("/_matrix/client/v3/rooms/:roomId/invite", listener(endpoint));
        return listenOn(createServer(app));
      },
    ],
    [
      "Fastify, its own parser",
      async () => {
        const { fastify } = await import("fastify");
        const app = fastify();
        app.all("/_matrix/client/v3/rooms/:roomId/invite", (request, reply) => {
          reply.hijack();
          listener(endpoint)(request.raw, reply.raw);
        });
        await app.ready();
        return listenOn(app.server);
      },
    ],
    [
      "Hono, a middleware that reads",
      async () => {
        const { Hono } = await import("hono");
        const app = new Hono();
        app.use(async (c, next) => {
          await c.req.json();
          await next();
        });
        app.all("*", (c) => endpoint(c.req.raw));
        return serve(async (request) => app.fetch(request));
      },
    ],
  ];

  it.each(parsed)("%s: 500, and why", async (_, listen) => {
    const { status, body } = await send(await listen());
    expect([status, body]).toEqual([500, symptom]);
  });

  it.each(parsed.slice(0, 2))("%s, in chunks: 400, as if nothing had been sent", async (_, listen) => {
    const stream = new Blob([own]).stream();
    expect(shortly(await send(await listen(), stream))).toEqual([400, "M_NOT_JSON"]);
  });

  it("Hono, a middleware that reads a clone: all is well", async () => {
    const { Hono } = await import("hono");
    const app = new Hono();
    app.use(async (c, next) => {
      await c.req.raw.clone().json();
      await next();
    });
    app.all("*", (c) => endpoint(c.req.raw));
    expect((await send(await serve(async (request) => app.fetch(request)))).status).toBe(200);
  });
});

describe("Express, where app.use cuts the beginning of the path off", () => {
  const own = JSON.stringify(mountedInvite.body);
  let at: Listening | undefined;
  afterEach(() => at?.close());

  it("is answered by what is left of the path", async () => {
    const { default: express } = await import("express");
    const app = express();
    app.use("/_matrix", listener(mountedInvite.open(openHost())));
    at = await listenOn(createServer(app));
    const { status } = await fetch(at.url + mountedInvite.path, { method: "POST", headers: json, body: own });
    expect(status).toBe(200);
  });

  it("is answered by the room ID that the router has read, where nothing is left", async () => {
    const { default: express } = await import("express");
    const app = express();
    app.use("/_matrix/client/v3/rooms/:roomId/invite", (request, response) => {
      const endpoint = mountedInvite.open(openHost(), { roomId: () => request.params.roomId });
      listener(endpoint)(request, response);
    });
    at = await listenOn(createServer(app));
    const { status } = await fetch(at.url + mountedInvite.path, { method: "POST", headers: json, body: own });
    expect(status).toBe(200);
  });
});
