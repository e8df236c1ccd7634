import { type IncomingMessage, type Server, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type EmbeddedIdentityServer, createIdentityServer } from "matrix-third-party-invites/testing";
import { type JsonObject, isJsonObject } from "../../../src/matrix/json.js";
import { alice, anInvite, isSigned, textAt } from "./world.js";

const bodyOf = async (message: IncomingMessage): Promise<Buffer> => {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(Buffer.from(chunk as Uint8Array));
  return Buffer.concat(chunks);
};

const listen = (serve: (request: Request) => Promise<Response>): Promise<Server> =>
  new Promise((resolve) => {
    const server = createServer((message, reply) => {
      void (async () => {
        const { method = "GET", url = "/", headers } = message;
        const body = await bodyOf(message);
        const response = await serve(
          new Request(new URL(url, "http://127.0.0.1"), {
            method,
            headers: headers.authorization === undefined ? {} : { authorization: headers.authorization },
            ...(body.length > 0 ? { body: new Uint8Array(body) } : {}),
          }),
        );
        reply.writeHead(response.status, Object.fromEntries(response.headers));
        reply.end(await response.text());
      })();
    });
    server.listen(0, "127.0.0.1", () => {
      resolve(server);
    });
  });

const urlOf = (server: Server): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

let identityServer: EmbeddedIdentityServer;
let front: Server;
let homeserver: Server;
const received: unknown[] = [];

beforeAll(async () => {
  homeserver = await listen(async (request) => {
    received.push(await request.json());
    return Response.json({}, { status: received.length < 2 ? 502 : 200 });
  });
  front = await listen((request) => identityServer.handle(request));
  let at = 0;
  identityServer = createIdentityServer({
    serverName: "localhost",
    baseUrl: urlOf(front),
    homeserverUrl: () => urlOf(homeserver),
    now: () => (at += 1000),
  });
});

afterAll(() => {
  front.close();
  homeserver.close();
});

const ask = async (path: string, token?: string, body?: JsonObject): Promise<JsonObject> => {
  const response = await fetch(path.startsWith("http") ? path : `${urlOf(front)}/_matrix/identity/${path}`, {
    ...(body === undefined ? {} : { method: "POST", body: JSON.stringify(body) }),
    ...(token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } }),
  });
  const answer: unknown = await response.json();
  if (!isJsonObject(answer)) throw new Error("The answer is no JSON object.");
  return answer;
};

it("the whole way over HTTP: register, invite, validate, bind, onbind", async () => {
  expect(await ask("versions")).toHaveProperty("versions");
  const registered = await ask("v2/account/register", undefined, {
    access_token: alice,
    matrix_server_name: "example.org",
  });
  const token = textAt(registered, "token");
  const stored = await ask("v2/store-invite", token, anInvite());
  for (const at of [0, 1]) {
    const url = new URL(textAt(stored, "public_keys", at, "key_validity_url"));
    url.searchParams.set("public_key", textAt(stored, "public_keys", at, "public_key"));
    expect(await ask(url.href)).toEqual({ valid: true });
  }

  const secret = { client_secret: "secret" };
  await ask("v2/validate/email/requestToken", token, {
    ...secret,
    email: "zoe.guest@example.org",
    send_attempt: 1,
  });
  const mail = identityServer.outbox.at(-1);
  const proof = { ...secret, sid: textAt(mail, "sid") };
  expect(await ask("v2/validate/email/submitToken", token, { ...proof, token: mail?.token })).toEqual({
    success: true,
  });
  const bound = await ask("v2/3pid/bind", token, { ...proof, mxid: alice });

  expect(await identityServer.deliverDue()).toMatchObject({ delivered: 0, waiting: 1 });
  expect(await identityServer.deliverDue()).toEqual({ delivered: 1, waiting: 0 });
  expect(received).toEqual([bound, bound]);
  expect(isSigned(received[1], identityServer.publicKey, "localhost")).toBe(true);
});
