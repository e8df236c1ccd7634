// The ports of the tutorial, a room, and an identity server in this process. Replace them with your own.
import { type FlowResult, createThirdPartyInvites } from "matrix-third-party-invites";
import { identityServerClient } from "matrix-third-party-invites/http";
import { nodeCrypto, nodeSigningKey } from "matrix-third-party-invites/node";
import { createIdentityServer, memoryPorts } from "matrix-third-party-invites/testing";

/** Alice made the room, Bob moderates it, Zoe has an account. */
export const [alice, bob, zoe] = ["@alice:example.org", "@bob:example.org", "@zoe:example.org"];

export const identity = createIdentityServer({ serverName: "id.example", baseUrl: "https://id.example" });
export const key = nodeSigningKey("ed25519:1", crypto.getRandomValues(new Uint8Array(32)));
export const ports = memoryPorts({
  crypto: nodeCrypto,
  serverName: "example.org",
  key,
  identityServer: identityServerClient({ fetch: (url, init) => identity.handle(new Request(url, init)) }),
  users: new Map([alice, bob, zoe].map((userId) => [userId, {}])),
});
export const invites = createThirdPartyInvites(ports);

export const roomId = ports.memory.create({
  version: "12",
  creator: alice,
  powerLevels: { users: { [bob]: 50 }, invite: 50 },
});

/** The outcome of a method. Throws where the result is `Left`. */
export const outcomeOf = async <Outcome>(result: FlowResult<Outcome>): Promise<Outcome> => {
  const answer = await result;
  if (answer._tag === "Left") throw new Error(answer.left.message);
  return answer.right;
};

export const inviteByMail = (userId: string, address: string, { invite } = invites) => {
  ports.clock.advance(1); // no two at the same time
  return invite({
    roomId,
    requester: { userId },
    body: {
      id_server: "id.example",
      id_access_token: identity.account(userId),
      medium: "email",
      address,
    },
  });
};

/** Changes the membership of a user in the room, as the homeserver does by itself. */
export const setMembership = (sender: string, userId: string, membership: string) =>
  ports.memory.append(roomId, {
    type: "m.room.member",
    sender,
    state_key: userId,
    content: { membership },
  });
setMembership(bob, bob, "join");
