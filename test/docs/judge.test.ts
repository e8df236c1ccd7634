import { parseStrict } from "matrix-third-party-invites/judge";
import { isJsonObject } from "matrix-third-party-invites/matrix";
import type { EventLike, JsonObject } from "matrix-third-party-invites/ports";
import { nodeCrypto, nodeSigningKey } from "matrix-third-party-invites/node";
import { memoryRooms } from "matrix-third-party-invites/testing";
import { describe, expect, it } from "vitest";
import { type JudgeHost, judge } from "../../docs/examples/judge/judge.js";
import { must, present } from "../testing/memory/samples.js";

const [alice, mallory, zoe] = ["@alice:example.org", "@mallory:example.org", "@zoe:example.org"];
const key = nodeSigningKey("ed25519:1", new Uint8Array(32).fill(1));

/** A room of two, and the host of one who received what comes last. */
const open = (version: string, event: { readonly sender?: string; readonly content?: JsonObject } = {}) => {
  const memory = memoryRooms({ crypto: nodeCrypto, serverName: "example.org", key });
  const roomId = memory.create({ version, creator: alice, powerLevels: { invite: 50 } });
  const join = { type: "m.room.member", content: { membership: "join" } };
  memory.append(roomId, { ...join, sender: mallory, state_key: mallory });
  const invite = { type: "m.room.member", sender: alice, state_key: zoe, content: { membership: "invite" } };
  const before = memory.stateEvents(roomId).map(({ pdu }) => pdu);
  const received = memory.append(roomId, { ...invite, ...event }).pdu;
  const timeline = memory.timeline(roomId);
  const logged: unknown[] = [];
  const host: JudgeHost = {
    versionOf: (id) => Promise.resolve(id === roomId ? version : undefined),
    fetchKeys: () => Promise.resolve(),
    keyOf: () => ({ publicKey: key.publicKey }),
    now: Date.now,
    createOf: () => Promise.resolve(present(timeline[0]).pdu),
    eventsNamedBy: ({ auth_events: named }) =>
      Promise.resolve(
        timeline
          .filter(({ eventId }) => Array.isArray(named) && named.includes(eventId))
          .map(({ pdu }) => ({ event: pdu, rejected: false })),
      ),
    stateBefore: () => Promise.resolve(before),
    stateNow: () => Promise.resolve(before),
    allows: () => Promise.resolve(false),
    log: (step) => logged.push(step),
  };
  return { received, host, before, logged };
};

const banned = (by: string): EventLike => ({
  type: "m.room.member",
  sender: by,
  state_key: zoe,
  content: { membership: "ban" },
});

describe("the judge of docs/how-to/judge.md", () => {
  it.each(["11", "12"])("accepts a good event in version %s", async (version) => {
    const { received, host } = open(version);
    expect(await judge(received, host)).toMatchObject({ _tag: "Accept", pdu: received });
  });

  it("rejects by what auth_events make, and logs the rule", async () => {
    const { received, host, logged } = open("12", { sender: mallory });
    expect(await judge(received, host)).toMatchObject({ _tag: "Reject", why: "PowerTooLow" });
    expect(logged).toMatchObject([{ rule: "5.4.5", outcome: "refused" }]);
  });

  it("rejects by the state before the event", async () => {
    const { received, host, before } = open("12");
    const stateBefore = () => Promise.resolve([...before, banned(alice)]);
    const answer = await judge(received, { ...host, stateBefore });
    expect(answer).toMatchObject({ _tag: "Reject", why: "TargetBanned" });
  });

  it("soft-fails by the state now", async () => {
    const { received, host, before } = open("12");
    const stateNow = () => Promise.resolve([...before, banned(alice)]);
    const answer = await judge(received, { ...host, stateNow });
    expect(answer).toMatchObject({ _tag: "SoftFail", why: "TargetBanned" });
  });

  it("rejects by auth_events that the selection does not have", async () => {
    const { received, host, before } = open("12");
    const rejected = before.map((event) => ({ event, rejected: false }));
    const answer = await judge(received, { ...host, eventsNamedBy: () => Promise.resolve(rejected) });
    expect(answer).toMatchObject({ _tag: "Reject", why: "AuthEventUnexpected" });
  });

  it.each([
    {
      name: "an unknown room",
      change: { room_id: "!other:example.org" },
      why: "RoomUnknown",
    },
    { name: "what nobody signed", change: { depth: 1000 }, why: "NotSignedBy" },
    { name: "an integer that is not written as one", change: { unsigned: "1.0" }, why: "NotCanonicalJson" },
    { name: "a fraction", change: { unsigned: "1.5" }, why: "NotCanonicalJson" },
  ])("drops $name", async ({ change, why }) => {
    const { received, host } = open("12");
    const text = JSON.stringify({ ...received, ...change }).replace(/"(1\.\d)"/, "$1");
    const parsed = must(parseStrict(text, "any"));
    if (!isJsonObject(parsed)) throw new Error("It is no object.");
    expect(await judge(parsed, host)).toMatchObject({ _tag: "Drop", why });
  });

  it("puts off what is too much work, and tries none of it", async () => {
    const signature = Buffer.from(key.sign(new Uint8Array(1))).toString("base64");
    const signed = { mxid: zoe, token: "t1", signatures: { "id.example": { "ed25519:0": signature } } };
    const content = { membership: "invite", third_party_invite: { display_name: "z", signed } };
    const { received, host } = open("12", { content });
    const public_keys = Array.from({ length: 65 }, (_, index) => ({
      public_key: Buffer.from(nodeSigningKey("ed25519:1", new Uint8Array(32).fill(index)).publicKey).toString(
        "base64",
      ),
    }));
    const token: EventLike = {
      type: "m.room.third_party_invite",
      sender: alice,
      room_id: received["room_id"],
      state_key: "t1",
      content: { public_keys },
    };
    const eventsNamedBy = async (pdu: JsonObject) => [
      ...(await host.eventsNamedBy(pdu)),
      { event: token, rejected: false },
    ];
    expect(await judge(received, { ...host, eventsNamedBy })).toMatchObject({ _tag: "Later", pairs: 65 });
  });

  it.each([
    { allows: false, expected: "Reject" },
    { allows: true, expected: "Accept" },
  ])("leaves what is not ours to the host: $expected", async ({ allows, expected }) => {
    const { received, host } = open("12", { content: { membership: "leave" } });
    const answer = await judge(received, { ...host, allows: () => Promise.resolve(allows) });
    expect(answer._tag).toBe(expected);
  });
});
