import { describe, expect, it } from "vitest";
import { createIdentityServer } from "matrix-third-party-invites/testing";
import { aWorld, alice, call, get, post, textAt } from "./world.js";

const openId = (token: string, serverName = "example.org") => ({
  access_token: token,
  token_type: "Bearer",
  matrix_server_name: serverName,
  expires_in: 3600,
});

describe("POST /account/register", () => {
  it("by default believes the token, which is the user ID", async () => {
    const { server } = aWorld();
    const { status, body } = await post(server, "account/register", undefined, openId(alice));
    expect(status).toBe(200);
    expect(textAt(body, "token")).toMatch(/^[0-9a-zA-Z]{64}$/);
    expect(body["access_token"]).toBe(body["token"]);
    expect((await get(server, "account", textAt(body, "token"))).body).toEqual({ user_id: alice });
  });

  it("asks who owns the token", async () => {
    const asked: unknown[] = [];
    const { server } = aWorld({
      resolveOpenId: (question) => {
        asked.push(question);
        return Promise.resolve(alice);
      },
    });
    expect(await post(server, "account/register", undefined, openId("opaque"))).toMatchObject({
      status: 200,
    });
    expect(asked).toEqual([{ accessToken: "opaque", serverName: "example.org" }]);
  });

  it.each([
    ["has no owner", () => undefined],
    ["is owned by what is no user", () => "alice"],
    ["is owned by a user of another server", () => "@alice:elsewhere.example"],
    ["cannot be resolved", () => Promise.reject(new Error("refused"))],
    [
      "makes the resolver throw",
      () => {
        throw new Error("broken");
      },
    ],
  ])("a token that %s: 500 M_UNKNOWN", async (_, resolveOpenId) => {
    const { server } = aWorld({ resolveOpenId });
    expect(await post(server, "account/register", undefined, openId("opaque"))).toMatchObject({
      status: 500,
      body: { errcode: "M_UNKNOWN" },
    });
  });

  it("keeps what happened while the homeserver was asked", async () => {
    let release = (): void => undefined;
    const asked = new Promise<string>((resolve) => {
      release = () => {
        resolve(alice);
      };
    });
    const { server } = aWorld({ resolveOpenId: () => asked });
    const registering = post(server, "account/register", undefined, openId("opaque"));
    await Promise.resolve();
    const meanwhile = server.account("@carol:example.org");
    release();
    expect((await registering).status).toBe(200);
    expect((await get(server, "account", meanwhile)).status).toBe(200);
  });

  it.each([
    ["no server name", { access_token: "a" }, "M_MISSING_PARAMS"],
    ["no token", { matrix_server_name: "example.org" }, "M_MISSING_PARAMS"],
    ["a URL for a server name", openId("a", "https://example.org"), "M_INVALID_PARAM"],
    ["a token that is no text", { ...openId("a"), access_token: 1 }, "M_INVALID_PARAM"],
    ["a list", [], "M_BAD_JSON"],
    ["what is no JSON", "{", "M_BAD_JSON"],
  ])("%s: 400", async (_, body, errcode) => {
    const { server } = aWorld();
    expect(await post(server, "account/register", undefined, body)).toMatchObject({
      status: 400,
      body: { errcode },
    });
  });
});

describe("an access token", () => {
  it.each([
    ["missing", undefined],
    ["unknown", "nope"],
  ])("%s is 401 M_UNAUTHORIZED", async (_, token) => {
    const { server } = aWorld();
    expect(await get(server, "hash_details", token)).toMatchObject({
      status: 401,
      body: { errcode: "M_UNAUTHORIZED" },
    });
  });

  it("comes before the body is looked at", async () => {
    const { server } = aWorld();
    expect((await post(server, "store-invite", undefined, "{")).status).toBe(401);
  });

  it("does not count in the query", async () => {
    const { server, tokens } = aWorld();
    expect((await get(server, `account?access_token=${tokens.alice}`)).status).toBe(401);
  });

  it("is of no use after a logout, which needs no body", async () => {
    const { server, tokens } = aWorld();
    expect(await call(server, "POST", "account/logout", { token: tokens.alice })).toMatchObject({
      status: 200,
      body: {},
    });
    expect((await get(server, "account", tokens.alice)).status).toBe(401);
    expect((await get(server, "account", tokens.bob)).status).toBe(200);
  });

  it.each([
    ["missing", undefined, "M_UNAUTHORIZED"],
    ["unknown", "nope", "M_UNKNOWN_TOKEN"],
  ])("%s at a logout is 401", async (_, token, errcode) => {
    const { server } = aWorld();
    expect(await call(server, "POST", "account/logout", { token })).toMatchObject({
      status: 401,
      body: { errcode },
    });
  });
});

describe("misuse of the maker is thrown", () => {
  it.each([
    [
      "a server name with a scheme",
      { serverName: "https://is.example.org", baseUrl: "https://is.example.org" },
    ],
    ["a base that is no URL", { serverName: "is.example.org", baseUrl: "is.example.org" }],
  ])("%s", (_, options) => {
    expect(() => createIdentityServer(options)).toThrow(TypeError);
  });

  it("an account of what is no user ID", () => {
    expect(() => aWorld().server.account("alice")).toThrow(TypeError);
  });

  it("a seed of the wrong length", () => {
    expect(() => aWorld().server.rotateKey(new Uint8Array(31))).toThrow(TypeError);
  });

  it.each([
    ["what is no address", { medium: "email", address: "nope" }, alice],
    ["an unknown medium", { medium: "pigeon", address: "a@b.c" }, alice],
    ["what is no user ID", { medium: "email", address: "a@b.c" }, "alice"],
  ])("a binding of %s", (_, threepid, mxid) => {
    expect(() => aWorld().server.bindDirectly(threepid, mxid)).toThrow(TypeError);
  });
});

it("needs neither chance nor a clock from its caller", async () => {
  const server = createIdentityServer({ serverName: "is.example.org", baseUrl: "https://is.example.org" });
  const before = Date.now();
  const ts = server.bindDirectly({ medium: "email", address: "a@b.c" }, alice)["ts"];
  expect(ts).toBeGreaterThanOrEqual(before);
  expect((await get(server, "account", server.account(alice))).body).toEqual({ user_id: alice });
  expect(
    createIdentityServer({ serverName: "is.example.org", baseUrl: "https://is.example.org" }).publicKey,
  ).not.toBe(server.publicKey);
});
