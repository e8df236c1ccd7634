import { createThirdPartyInvites } from "matrix-third-party-invites";
import { nodeCrypto, nodeSigningKey } from "matrix-third-party-invites/node";
import { identityServerClient } from "matrix-third-party-invites/http";
import { createIdentityServer, memoryPorts } from "matrix-third-party-invites/testing";
import { describe, expect, it } from "vitest";
import { answerInvite } from "../../docs/examples/tutorial/answer.js";

const [alice, mallory] = ["@alice:example.org", "@mallory:example.org"];

describe("the endpoint of docs/tutorial.md", () => {
  const identity = createIdentityServer({ serverName: "id.example", baseUrl: "https://id.example" });
  const ports = memoryPorts({
    crypto: nodeCrypto,
    serverName: "example.org",
    key: nodeSigningKey("ed25519:1", new Uint8Array(32).fill(1)),
    identityServer: identityServerClient({ fetch: (url, init) => identity.handle(new Request(url, init)) }),
  });
  const invites = createThirdPartyInvites(ports);
  const roomId = ports.memory.create({ version: "12", creator: alice });
  const body = { id_server: "id.example", medium: "email", address: "zoe@mail.example" };

  it.each([
    { name: "200 for an invite", userId: alice, answer: { status: 200, body: {} } },
    {
      name: "the Matrix error for a refusal",
      userId: mallory,
      answer: { status: 403, body: { errcode: "M_FORBIDDEN" } },
    },
  ])("answers $name", async ({ userId, answer }) => {
    const withToken = { ...body, id_access_token: identity.account(userId) };
    expect(await answerInvite(invites)(roomId, userId, withToken)).toMatchObject(answer);
  });
});
