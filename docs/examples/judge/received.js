import { deliverOwed, parseStrict, receiveOnBind } from "matrix-third-party-invites";
import { alice, identity, inviteByMail, key, ports, roomId, zoe } from "../world.js";
import { judge } from "./judge.js";

await inviteByMail(alice, "zoe@example.org");
await receiveOnBind(ports)(identity.bindDirectly({ medium: "email", address: "zoe@example.org" }, zoe));
await deliverOwed(ports)();

const timeline = ports.memory.timeline(roomId);
const plain = (events) => events.map(({ pdu }) => pdu); // not `{ eventId, pdu }`
const isOurs = (server, keyId) => server === "example.org" && keyId === key.keyId;

const host = {
  versionOf: async (id) => (id === roomId ? "12" : undefined),
  fetchKeys: async () => undefined, // over federation, those that are not known
  keyOf: (server, keyId) => (isOurs(server, keyId) ? { publicKey: key.publicKey } : undefined),
  now: Date.now,
  createOf: async () => timeline[0].pdu,
  eventsNamedBy: async ({ auth_events }) =>
    timeline
      .filter(({ eventId }) => auth_events.includes(eventId))
      .map(({ pdu }) => ({ event: pdu, rejected: false })),
  stateBefore: async () => plain(timeline.slice(0, -1)),
  stateNow: async () => plain(ports.memory.stateEvents(roomId)),
  allows: async () => false, // your rules for every other event
  log: ({ rule, text }) => console.log(`${rule}: ${text}`),
};

const body = JSON.stringify({ pdus: [timeline.at(-1).pdu] });
const [received] = parseStrict(body, "any").right.pdus;
console.log((await judge(received, host))._tag);

const { token } = received.content.third_party_invite.signed;
ports.memory.append(roomId, {
  type: "m.room.third_party_invite",
  sender: alice,
  state_key: token,
  content: {},
});
const { _tag, why } = await judge(received, host);
console.log(_tag, why.code);
