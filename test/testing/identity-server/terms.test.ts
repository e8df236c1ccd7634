import { describe, expect, it } from "vitest";
import { aWorld, anInvite, get, post, textAt } from "./world.js";

const urlIn = async (server: ReturnType<typeof aWorld>["server"], language: string): Promise<string> =>
  textAt((await get(server, "terms")).body, "policies", "terms_of_service", language, "url");

it("are none until they are switched on", async () => {
  const { server, tokens } = aWorld();
  expect(await get(server, "terms")).toMatchObject({ status: 200, body: { policies: {} } });
  server.requireTerms();
  server.requireTerms(false);
  expect((await get(server, "account", tokens.alice)).status).toBe(200);
  expect((await get(server, "terms")).body).toEqual({ policies: {} });
});

describe("switched on", () => {
  it.each([
    ["GET", "account"],
    ["GET", "hash_details"],
    ["POST", "lookup"],
    ["POST", "store-invite"],
    ["POST", "sign-ed25519"],
    ["POST", "validate/email/requestToken"],
    ["POST", "validate/email/submitToken"],
    ["GET", "3pid/getValidated3pid"],
    ["POST", "3pid/bind"],
    ["POST", "3pid/unbind"],
  ])("%s %s is 403 M_TERMS_NOT_SIGNED", async (method, path) => {
    const { server, tokens } = aWorld();
    server.requireTerms();
    const reply = method === "GET" ? get(server, path, tokens.alice) : post(server, path, tokens.alice, {});
    expect(await reply).toMatchObject({ status: 403, body: { errcode: "M_TERMS_NOT_SIGNED" } });
  });

  it("a stranger is still 401, and keys are for everybody", async () => {
    const { server, tokens } = aWorld();
    server.requireTerms();
    expect((await get(server, "account")).status).toBe(401);
    expect((await get(server, "pubkey/ed25519:0")).status).toBe(200);
    expect((await post(server, "account/logout", tokens.alice, {})).status).toBe(200);
  });

  it.each(["en", "fr"])("accepting in the language %s is enough", async (language) => {
    const { server, tokens } = aWorld();
    server.requireTerms();
    const url = await urlIn(server, language);
    expect(await post(server, "terms", tokens.alice, { user_accepts: [url] })).toMatchObject({
      status: 200,
      body: {},
    });
    expect((await post(server, "store-invite", tokens.alice, anInvite())).status).toBe(200);
    expect((await get(server, "account", tokens.bob)).status).toBe(403);
  });

  it("what was accepted before stays accepted", async () => {
    const { server, tokens } = aWorld();
    server.requireTerms();
    await post(server, "terms", tokens.alice, { user_accepts: [await urlIn(server, "en")] });
    await post(server, "terms", tokens.alice, { user_accepts: [] });
    expect((await get(server, "account", tokens.alice)).status).toBe(200);
  });

  it.each([
    [{ user_accepts: ["https://other.example/terms"] }, "M_UNKNOWN"],
    [{ user_accepts: "all" }, "M_INVALID_PARAM"],
    [{ user_accepts: [1] }, "M_INVALID_PARAM"],
    [{}, "M_MISSING_PARAMS"],
    ["{", "M_BAD_JSON"],
  ])("%j is refused with %s", async (body, errcode) => {
    const { server, tokens } = aWorld();
    server.requireTerms();
    expect(await post(server, "terms", tokens.alice, body)).toMatchObject({ status: 400, body: { errcode } });
    expect((await get(server, "account", tokens.alice)).status).toBe(403);
  });

  it("nobody accepts without a token", async () => {
    const { server } = aWorld();
    expect((await post(server, "terms", undefined, { user_accepts: [] })).status).toBe(401);
  });
});
