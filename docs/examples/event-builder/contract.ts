import { describe, it } from "node:test";
import { nodeSigningKey } from "matrix-third-party-invites/node";
import { roomsContract } from "matrix-third-party-invites/testing";
import type { Host } from "./co-sign.js";
import { createRoom, put } from "./create-room.js";
import { eventsPort } from "./events.js";
import { roomsPort } from "./rooms.js";
import { type MemoryStore, openStore } from "./store.js";

const ours = "@alice:example.org";
const theirs = "@bob:b.example";
const invitee = "@zoe:example.org";

const host: Host = {
  serverName: "example.org",
  key: nodeSigningKey("ed25519:1", crypto.getRandomValues(new Uint8Array(32))),
  now: Date.now,
  send: () => undefined,
  putInvite: () => Promise.reject(new Error("There is no other server.")),
  keyOf: () => undefined,
};
let made = 0;

const wire = (store: MemoryStore) => ({
  store,
  rooms: roomsPort(store),
  events: eventsPort(store, host),
  room: async () => {
    made += 1;
    const roomId = `!${made}:example.org`;
    await createRoom(store, host, roomId, ours, { users: { [ours]: 100, [theirs]: 100 } });
    const content = { membership: "join" };
    await put(store, host, roomId, { type: "m.room.member", sender: theirs, state_key: theirs, content });
    return { roomId, ours, theirs, invitee };
  },
  change: (roomId: string, event: object) => put(store, host, roomId, event),
  leave: (roomId: string) => store.leave(roomId),
});

roomsContract(
  { describe, it },
  {
    open: () => Promise.resolve(wire(openStore())),
    connect: ({ store }) => Promise.resolve(wire(store)), // another process
    reopen: ({ store }) => Promise.resolve(wire(store)), // with a database: open it again
    sent: {
      serverName: host.serverName,
      key: host.key,
      pdu: async ({ store }, roomId, eventId) => (await store.room(roomId))?.event(eventId)?.pdu,
    },
  },
);
