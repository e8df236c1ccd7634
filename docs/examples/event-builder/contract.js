import { describe, it } from "node:test";
import { nodeSigningKey } from "matrix-third-party-invites/node";
import { roomsContract } from "matrix-third-party-invites/testing";
import { createRoom, put } from "./create-room.js";
import { eventsPort } from "./events.js";
import { roomsPort } from "./rooms.js";
import { openStore } from "./store.js";

const [ours, theirs, invitee] = ["@alice:example.org", "@bob:b.example", "@zoe:example.org"];
const key = nodeSigningKey("ed25519:1", crypto.getRandomValues(new Uint8Array(32)));
const host = { serverName: "example.org", key, now: Date.now, send: () => undefined };
let made = 0;

const wire = (store) => ({
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
  change: (roomId, event) => put(store, host, roomId, event),
  leave: async (roomId) => store.leave(roomId),
});

roomsContract(
  { describe, it },
  {
    open: async () => wire(openStore()),
    connect: async ({ store }) => wire(store), // another process
    reopen: async ({ store }) => wire(store), // yours opens its database again
    sent: {
      serverName: host.serverName,
      key,
      pdu: async ({ store }, roomId, eventId) => store.room(roomId).event(eventId)?.pdu,
    },
  },
);
