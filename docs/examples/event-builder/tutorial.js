import { deliverOwed, invite, receiveOnBind } from "matrix-third-party-invites";
import { identityServerClient } from "matrix-third-party-invites/http";
import { nodeCrypto, nodeSigningKey } from "matrix-third-party-invites/node";
import { createIdentityServer, memoryPorts } from "matrix-third-party-invites/testing";
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
const host = { serverName, key, now: Date.now, send: () => undefined };
const memory = memoryPorts({
  crypto: nodeCrypto,
  serverName,
  key,
  identityServer,
  users: new Map([[zoe, {}]]),
});
const ports = { ...memory, rooms: roomsPort(store), events: eventsPort(store, host) };

// In place of `ports.memory.create` …
await createRoom(store, host, roomId, alice, { invite: 50 });

// … and of `ports.memory.state(roomId).get`. In place of `ports.memory.append` stands `put`.
const stateAt = async (type, stateKey) => {
  const snapshot = await ports.rooms.snapshot(roomId, [{ type, stateKey }], {});
  return snapshot.get(type, stateKey);
};

const address = { medium: "email", address: "zoe@example.org" };
const body = { id_server: "id.example", id_access_token: identity.account(alice), ...address };
const { right } = await invite(ports)({ roomId, requester: { userId: alice }, body });
await receiveOnBind(ports)(identity.bindDirectly(address, zoe));
await deliverOwed(ports)();
console.log(right._tag, (await stateAt("m.room.member", zoe)).content.membership);
