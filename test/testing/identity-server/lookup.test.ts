import { describe, expect, it } from "vitest";
import { nodeCrypto } from "matrix-third-party-invites/node";
import { encodeBase64 } from "../../../src/matrix/base64.js";
import { encodeUtf8 } from "../../../src/matrix/utf8.js";
import { aWorld, alice, bob, get, post, textAt } from "./world.js";

const hash = (address: string, medium: string, pepper: string): string =>
  encodeBase64(nodeCrypto.sha256(encodeUtf8(`${address} ${medium} ${pepper}`)), "urlsafe");

const aBoundWorld = () => {
  const world = aWorld();
  world.server.rotatePepper("matrixrocks");
  world.server.bindDirectly({ medium: "email", address: "Strauß@Example.com" }, bob);
  world.server.bindDirectly({ medium: "msisdn", address: "+18005552067" }, alice);
  const ask = (algorithm: string, addresses: unknown, pepper = "matrixrocks") =>
    post(world.server, "lookup", world.tokens.alice, { algorithm, pepper, addresses });
  return { ...world, ask };
};

it("says how to hash", async () => {
  const { server, tokens } = aWorld();
  const pepper = server.rotatePepper();
  expect(await get(server, "hash_details", tokens.alice)).toMatchObject({
    status: 200,
    body: { lookup_pepper: pepper, algorithms: ["sha256", "none"] },
  });
});

describe("sha256", () => {
  it("finds whom it knows and is silent of others", async () => {
    const { ask } = aBoundWorld();
    const known = hash("strauss@example.com", "email", "matrixrocks");
    const phone = "nlo35_T5fzSGZzJApqu8lgIudJvmOQtDaHtr-I4rU7I";
    const unknown = hash("nobody@example.com", "email", "matrixrocks");
    expect(await ask("sha256", [known, unknown, phone])).toMatchObject({
      status: 200,
      body: { mappings: { [known]: bob, [phone]: alice } },
    });
    expect((await ask("sha256", [unknown])).body).toEqual({ mappings: {} });
    expect((await ask("sha256", [])).body).toEqual({ mappings: {} });
  });

  it("of the official vectors", async () => {
    const { server, ask } = aBoundWorld();
    server.bindDirectly({ medium: "email", address: "alice@example.com" }, alice);
    server.bindDirectly({ medium: "email", address: "bob@example.com" }, bob);
    const vectors = [
      "4kenr7N9drpCJ4AfalmlGQVsOn3o2RHjkADUpXJWZUc",
      "LJwSazmv46n0hlMlsb_iYxI0_HXEqy_yj6Jm636cdT8",
    ];
    expect(Object.values((await ask("sha256", vectors)).body["mappings"] ?? {})).toEqual([alice, bob]);
  });

  it("matches exactly or not at all", async () => {
    const { ask } = aBoundWorld();
    const known = "nlo35_T5fzSGZzJApqu8lgIudJvmOQtDaHtr-I4rU7I";
    const asTyped = hash("Strauß@Example.com", "email", "matrixrocks");
    const standard = known.replaceAll("_", "/").replaceAll("-", "+");
    expect((await ask("sha256", [`${known}=`, standard, asTyped, "__proto__", ""])).body).toEqual({
      mappings: {},
    });
  });
});

describe("none", () => {
  it("finds in clear", async () => {
    const { ask } = aBoundWorld();
    const addresses = ["strauss@example.com email", "Strauß@Example.com email", "18005552067 msisdn"];
    expect((await ask("none", addresses)).body).toEqual({
      mappings: { "strauss@example.com email": bob, "18005552067 msisdn": alice },
    });
  });

  it("odd blanks match nothing", async () => {
    const { ask } = aBoundWorld();
    expect((await ask("none", ["strauss@example.com  email", " strauss@example.com email"])).body).toEqual({
      mappings: {},
    });
  });

  it.each(["strauss@example.com", "a b email", ""])(
    "what is no pair, %j, is 400 M_UNKNOWN",
    async (address) => {
      const { ask } = aBoundWorld();
      expect(await ask("none", [address])).toMatchObject({ status: 400, body: { errcode: "M_UNKNOWN" } });
    },
  );
});

describe("a lookup is refused", () => {
  it.each(["sha256", "none"])("with another pepper under %s, telling the right one", async (algorithm) => {
    const { server, ask } = aBoundWorld();
    const pepper = server.rotatePepper();
    const { status, body } = await ask(algorithm, []);
    expect(status).toBe(400);
    expect(body).toMatchObject({ errcode: "M_INVALID_PEPPER", algorithm, lookup_pepper: pepper });
    const again = await ask("sha256", [hash("strauss@example.com", "email", pepper)], pepper);
    expect(Object.values(again.body["mappings"] ?? {})).toEqual([bob]);
  });

  it("with an unknown algorithm, whatever the pepper", async () => {
    const { ask } = aBoundWorld();
    expect(await ask("md5", [], "other")).toMatchObject({
      status: 400,
      body: { errcode: "M_INVALID_PARAM" },
    });
  });

  it.each([
    [{ algorithm: "sha256", pepper: "matrixrocks" }, "M_MISSING_PARAMS"],
    [{ algorithm: "sha256", addresses: [] }, "M_MISSING_PARAMS"],
    [{}, "M_MISSING_PARAMS"],
    [{ algorithm: "sha256", pepper: "matrixrocks", addresses: "x" }, "M_INVALID_PARAM"],
    [{ algorithm: "sha256", pepper: "matrixrocks", addresses: [1] }, "M_INVALID_PARAM"],
    [{ algorithm: 1, pepper: "matrixrocks", addresses: [] }, "M_INVALID_PARAM"],
    [{ algorithm: "sha256", pepper: null, addresses: [] }, "M_INVALID_PARAM"],
    ["", "M_BAD_JSON"],
    ["[]", "M_BAD_JSON"],
    ["null", "M_BAD_JSON"],
  ])("of %j: 400 %s", async (body, errcode) => {
    const { server, tokens } = aBoundWorld();
    expect(await post(server, "lookup", tokens.alice, body)).toMatchObject({
      status: 400,
      body: { errcode },
    });
  });
});

it("a body that is not UTF-8 is 400 M_BAD_JSON", async () => {
  const { server, tokens } = aWorld();
  const response = await server.handle(
    new Request("https://is.example.org/_matrix/identity/v2/lookup", {
      method: "POST",
      headers: { authorization: `Bearer ${tokens.alice}` },
      body: Uint8Array.of(0x22, 0xff, 0x22),
    }),
  );
  expect(response.status).toBe(400);
  expect(textAt(await response.json(), "errcode")).toBe("M_BAD_JSON");
});
