import { createThirdPartyInvites } from "matrix-third-party-invites";
import { identityServerClient } from "matrix-third-party-invites/http";
import { member } from "matrix-third-party-invites/matrix";
import { nodeCrypto, nodeSigningKey } from "matrix-third-party-invites/node";
import { createIdentityServer, memoryPorts } from "matrix-third-party-invites/testing";
import type { Host } from "./co-sign.js";
import { createRoom } from "./create-room.js";
import { eventsPort } from "./events.js";
import { roomsPort } from "./rooms.js";
import { openStore } from "./store.js";

const [alice, zoe] = ["@alice:example.org", "@zoe:example.org"];
const [serverName, roomId] = ["example.org", "!room:example.org"];
const key = nodeSigningKey("ed25519:1", crypto.getRandomValues(new Uint8Array(32)));
const identity = createIdentityServer({ serverName: "id.example", baseUrl: "https://id.example" });
const identityServer = identityServerClient({
  fetch: (url, init) => identity.handle(new Request(url, init)),
});

const store = openStore();
const host: Host = {
  serverName,
  key,
  now: Date.now,
  send: () => undefined,
  putInvite: () => Promise.reject(new Error("There is no other server.")),
  keyOf: () => undefined,
};
const users = new Map([[zoe, {}]]);
const memory = memoryPorts({ crypto: nodeCrypto, serverName, key, identityServer, users });
const rooms = roomsPort(store);
const invites = createThirdPartyInvites({ ...memory, rooms, events: eventsPort(store, host) });

// In place of `ports.memory.create`. In place of `ports.memory.append` use `put`.
await createRoom(store, host, roomId, alice, { invite: 50 });

// In place of `ports.memory.state(roomId).get`.
const stateAt = async (type: string, stateKey: string) => (await store.room(roomId))?.at(type, stateKey)?.pdu;

const address = { medium: "email", address: "zoe@example.org" };
const body = { id_server: "id.example", id_access_token: identity.account(alice), ...address };
const result = await invites.invite({ roomId, requester: { userId: alice }, body });
await invites.receiveOnBind({ body: identity.bindDirectly(address, zoe) });
await invites.deliverOwed();
const invited = await stateAt("m.room.member", zoe);
console.log(result._tag === "Right" && result.right._tag, member(invited?.["content"], "membership"));
