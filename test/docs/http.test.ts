import { once } from "node:events";
import type { Server } from "node:http";
import { createThirdPartyInvites } from "matrix-third-party-invites";
import { signRequest } from "matrix-third-party-invites/matrix";
import { nodeSigningKey } from "matrix-third-party-invites/node";
import { describe, expect, it } from "vitest";
import { authenticateServer } from "../../docs/examples/http/authenticate.js";
import { identity, ports, serverKeys } from "../../docs/examples/http/ports.js";
import { must } from "../flows/samples.js";
import { present } from "../testing/memory/samples.js";
import { load } from "./load.js";

interface App {
  readonly request: (path: string, init?: RequestInit) => Promise<Response>;
}

const invites = createThirdPartyInvites(ports);
const alice = "@alice:example.org";
const headers = { authorization: "Bearer alices-token" };

describe("routes of one's own in docs/how-to/http.md", async () => {
  const { app } = await load<{ readonly app: App }>("http", "own-routes");
  const roomId = ports.memory.create({ version: "12", creator: alice });
  const path = `/_example/rooms/${encodeURIComponent(roomId)}/invites`;
  const list = async (): Promise<unknown> => (await app.request(path, { headers })).json();

  it("list the invites of a room, and revoke one by its token", async () => {
    const body = { id_server: "id.example", id_access_token: identity.account(alice) };
    const address = { medium: "email", address: "zoe@mail.example" };
    await invites.invite({ roomId, requester: { userId: alice }, body: { ...body, ...address } });
    expect(await list()).toMatchObject({ invites: [{ state: "Pending" }] });
    const token = present(ports.memory.stateEvents(roomId).at(-1)).pdu["state_key"];
    const revoked = await app.request(`${path}/${encodeURIComponent(String(token))}`, {
      method: "DELETE",
      headers,
    });
    expect([revoked.status, await revoked.json()]).toEqual([200, {}]);
    expect(await list()).toMatchObject({ invites: [{ state: "Revoked" }] });
  });

  it("answer the Matrix error of a refusal, and 401 without a token", async () => {
    const nowhere = await app.request(`${path}/nothing`, { method: "DELETE", headers });
    expect(nowhere.status).toBe(404);
    expect((await app.request(path)).status).toBe(401);
  });
});

describe("authenticateServer of docs/how-to/http.md", () => {
  const key = nodeSigningKey("ed25519:8", new Uint8Array(32).fill(8));
  serverKeys.set(`far.example ${key.keyId}`, key.publicKey);
  const uri = "/_matrix/federation/v1/make_join/!r%3Aexample.org/@zoe:far.example?ver=11&ver=12";
  const names = { origin: "far.example", destination: "example.org" };
  const [content, method] = [{ type: "m.room.member" }, "PUT"];
  const headerOf = (request: object) => must(signRequest({ method: "GET", uri, ...names, ...request }, key));
  const requestOf = (authorization: string, method = "GET") =>
    new Request(`https://example.org${uri}`, { method, headers: { authorization } });
  const isFar = { _tag: "Server", origin: "far.example" };
  const isDenied = { _tag: "Denied", status: 401 };

  it("lets a GET in, which has no content and signs none", () => {
    expect(authenticateServer(requestOf(headerOf({})))).toEqual(isFar);
    for (const content of [{}, null, ""])
      expect(authenticateServer(requestOf(headerOf({ content })))).toMatchObject(isDenied);
  });

  it("lets a PUT in with the content that it signed, and no other", () => {
    const request = requestOf(headerOf({ method, content }), method);
    expect(authenticateServer(request, content)).toEqual(isFar);
    for (const other of [undefined, {}, { type: "m.room.name" }])
      expect(authenticateServer(request, other)).toMatchObject(isDenied);
  });

  it.each([
    [
      "names in capitals, and a scheme in small letters",
      (header: string) => header.replace("X-Matrix origin", "x-matrix ORIGIN"),
    ],
    ["values without quotes", (header: string) => header.replace('"far.example"', "far.example")],
    ["escapes", (header: string) => header.replace('"far.example"', '"far\\.example"')],
    ["no destination, as before v1.3", (header: string) => header.replace(',destination="example.org"', "")],
  ])("reads a header with %s", (_, spelt) => {
    expect(authenticateServer(requestOf(spelt(headerOf({}))))).toEqual(isFar);
  });

  it.each([
    ["no header", () => ""],
    ["an access token", () => "Bearer token"],
    ["another destination", () => headerOf({ destination: "other.example" })],
    ["another path", () => headerOf({ uri: "/" })],
    ["another method", () => headerOf({ method: "POST" })],
    ["a server whose key is not known", () => headerOf({}).replaceAll("far.example", "near.example")],
  ])("denies %s", (_, header) => {
    expect(authenticateServer(requestOf(header()))).toMatchObject(isDenied);
  });
});

describe("node:http in docs/how-to/http.md", () => {
  it("leaves every other path to the host, and the globals as they are", async () => {
    const before = [Request, Response];
    const { server } = await load<{ readonly server: Server }>("http", "node-http");
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const bound = server.address();
    if (bound === null || typeof bound === "string") throw new Error("There is no port.");
    const ask = async (path: string, method = "GET") => {
      const answer = await fetch(`http://127.0.0.1:${bound.port}${path}`, { method });
      return [answer.status, (await answer.text()).includes("nothing here")];
    };
    const room = "/_matrix/client/v3/rooms/!r:example.org";
    expect([
      await ask("/_matrix/client/v3/sync"),
      await ask(`${room}/state`),
      await ask("/_matrix/federation/v1/version"),
      await ask(`${room}/invite?a=b`),
      await ask("/_matrix/federation/v1/3pid/onbind"),
      await ask("/_matrix/federation/v1/exchange_third_party_invite/!r:example.org"),
    ]).toEqual([
      [404, true],
      [404, true],
      [404, true],
      [405, false],
      [405, false],
      [405, false],
    ]);
    expect([Request, Response]).toEqual(before);
    server.close();
    server.closeAllConnections();
  });
});
