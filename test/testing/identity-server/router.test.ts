import { describe, expect, it } from "vitest";
import { aWorld, call, get } from "./world.js";

it("the server is there, and says which versions it has", async () => {
  const { server } = aWorld();
  expect(await get(server, "/_matrix/identity/v2")).toMatchObject({ status: 200, body: {} });
  const { status, body } = await get(server, "/_matrix/identity/versions");
  expect(status).toBe(200);
  expect(body["versions"]).toContain("v1.18");
});

it.each([
  ...["/", "/_matrix/identity/v2/", "/_matrix/identity/v2/nothing-here", "/_matrix/identity/v2/pubkey"],
  ...["/_matrix/identity/v2/pubkey/", "/_matrix/identity/v2/pubkey/a/b", "/_matrix/identity/api/v1/lookup"],
])("%s is 404 M_UNRECOGNIZED", async (path) => {
  const { server, tokens } = aWorld();
  expect(await get(server, path, tokens.alice)).toMatchObject({
    status: 404,
    body: { errcode: "M_UNRECOGNIZED" },
  });
});

it.each([
  ["POST", "/_matrix/identity/v2"],
  ["PUT", "hash_details"],
  ["GET", "lookup"],
  ["GET", "store-invite"],
  ["GET", "validate/email/submitToken"],
  ["DELETE", "terms"],
  ["POST", "pubkey/isvalid"],
  ["PUT", "pubkey/ed25519:0"],
])("%s %s is 405 M_UNRECOGNIZED", async (method, path) => {
  const { server, tokens } = aWorld();
  expect(await call(server, method, path, { token: tokens.alice })).toMatchObject({
    status: 405,
    body: { errcode: "M_UNRECOGNIZED" },
  });
});

describe("for browsers", () => {
  it("a pre-flight is answered", async () => {
    const { server } = aWorld();
    const { status, headers } = await call(server, "OPTIONS", "lookup");
    expect(status).toBe(200);
    expect(headers.get("access-control-allow-headers")).toContain("Authorization");
  });

  it("errors have the headers, too", async () => {
    const { server } = aWorld();
    const { headers } = await get(server, "nothing-here");
    expect(headers.get("access-control-allow-origin")).toBe("*");
    expect(headers.get("content-type")).toBe("application/json");
  });
});
