import { parseStrict } from "matrix-third-party-invites/judge";
import { type SignedPdu, isJsonObject, member } from "matrix-third-party-invites/matrix";
import { alice, identity, inviteByMail, invites, key, outcomeOf, ports, roomId, zoe } from "../world.js";
import { type JudgeHost, judge } from "./judge.js";

const { events } = await outcomeOf(inviteByMail(alice, "zoe@example.org"));
const bound = identity.bindDirectly({ medium: "email", address: "zoe@example.org" }, zoe);
await invites.receiveOnBind({ body: bound });
await invites.deliverOwed();

const timeline = ports.memory.timeline(roomId);
const pdusOf = (list: readonly SignedPdu[]) => list.map(({ pdu }) => pdu); // not `{ eventId, pdu }`

const host: JudgeHost = {
  versionOf: (id) => Promise.resolve(id === roomId ? "12" : undefined),
  fetchKeys: () => Promise.resolve(),
  keyOf: (server, keyId) => (server === "example.org" && keyId === key.keyId ? key : undefined),
  now: Date.now,
  createOf: () => Promise.resolve(ports.memory.state(roomId).get("m.room.create", "") ?? {}),
  eventsNamedBy: ({ auth_events: ids }) => {
    const named = timeline.filter(({ eventId }) => Array.isArray(ids) && ids.includes(eventId));
    return Promise.resolve(named.map(({ pdu }) => ({ event: pdu, rejected: false })));
  },
  stateBefore: () => Promise.resolve(pdusOf(timeline.slice(0, -1))),
  stateNow: () => Promise.resolve(pdusOf(ports.memory.stateEvents(roomId))),
  allows: () => Promise.resolve(false),
  log: (step) => {
    console.log(`${step?.rule}: ${step?.text}`);
  },
};

const body = JSON.stringify({ pdus: pdusOf(timeline.slice(-1)) });
const parsed = parseStrict(body, "any");
const pdus = parsed._tag === "Right" ? member(parsed.right, "pdus") : [];
const [received] = Array.isArray(pdus) ? pdus.filter(isJsonObject) : [];
if (received === undefined) throw new Error("There is no event.");
console.log((await judge(received, host))._tag);

const token = events[0]?.state_key ?? "";
await invites.revokeInvite({ roomId, requester: { userId: alice }, token });
const judged = await judge(received, host);
console.log(judged._tag, judged._tag === "SoftFail" ? judged.why : "");
