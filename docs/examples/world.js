// The ports of the tutorial, a room, and an identity server in this process. Yours take their place.
import { invite } from "matrix-third-party-invites";
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

export const roomId = ports.memory.create({
  version: "12",
  creator: alice,
  powerLevels: { users: { [bob]: 50 }, invite: 50 },
});

export const inviteByMail = (userId, address, over = ports) =>
  invite(over)({
    roomId,
    requester: { userId },
    body: {
      id_server: "id.example",
      id_access_token: identity.account(userId),
      medium: "email",
      address,
    },
  });

/** Somebody joins, leaves, or is thrown out, by the host's own doing. */
export const setMembership = (sender, userId, membership) =>
  ports.memory.append(roomId, {
    type: "m.room.member",
    sender,
    state_key: userId,
    content: { membership },
  });
setMembership(bob, bob, "join");
