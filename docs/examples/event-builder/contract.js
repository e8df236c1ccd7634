import { describe, it } from "node:test";
import { nodeSigningKey } from "matrix-third-party-invites/node";
import { roomsContract } from "matrix-third-party-invites/testing";
import { build } from "./build.js";
import { eventsPort } from "./events.js";
import { roomsPort } from "./rooms.js";
import { openStore } from "./store.js";

const [ours, theirs, invitee] = ["@alice:example.org", "@bob:b.example", "@zoe:example.org"];
const key = nodeSigningKey("ed25519:1", crypto.getRandomValues(new Uint8Array(32)));
const host = { serverName: "example.org", key, now: Date.now, send: () => undefined };
let made = 0;

/** What comes into a room past the ports. */
const put = (store, roomId, event) =>
  store.transaction(roomId, (room, write) => {
    for (const one of build(room, [{ room_id: roomId, ...event }], host)) write(one);
  });

const founding = [
  { type: "m.room.create", sender: ours, state_key: "", content: { room_version: "11" } },
  { type: "m.room.member", sender: ours, state_key: ours, content: { membership: "join" } },
  {
    type: "m.room.power_levels",
    sender: ours,
    state_key: "",
    content: { users: { [ours]: 100, [theirs]: 100 } },
  },
  { type: "m.room.join_rules", sender: ours, state_key: "", content: { join_rule: "public" } },
  { type: "m.room.member", sender: theirs, state_key: theirs, content: { membership: "join" } },
];

const wire = (store) => ({
  store,
  rooms: roomsPort(store),
  events: eventsPort(store, host),
  room: async () => {
    made += 1;
    const roomId = `!${made}:example.org`;
    store.create(roomId, "11");
    for (const event of founding) await put(store, roomId, event);
    return { roomId, ours, theirs, invitee };
  },
  change: (roomId, event) => put(store, roomId, event),
  leave: async (roomId) => store.leave(roomId),
});

roomsContract(
  { describe, it },
  {
    open: async () => wire(openStore()),
    connect: async ({ store }) => wire(store), // another process
    reopen: async ({ store }) => wire(store), // the one that starts when this one has died
    sent: {
      serverName: host.serverName,
      key,
      pdu: async ({ store }, roomId, eventId) => store.room(roomId).event(eventId)?.pdu,
    },
  },
);
