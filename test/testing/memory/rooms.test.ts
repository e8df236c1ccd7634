import { isRight } from "fp-ts/lib/Either.js";
import { describe, expect, it } from "vitest";
import type { EventTemplate, StateEntry } from "../../../src/matrix/event.js";
import type { RoomId } from "../../../src/matrix/ids.js";
import { type JsonObject, member } from "../../../src/matrix/json.js";
import { contentHashMatches, eventId, roomIdOfCreate, signPdu, verifyPdu } from "../../../src/matrix/pdu.js";
import { mayInvite } from "../../../src/matrix/power-levels.js";
import { membershipOf } from "../../../src/matrix/room-state.js";
import { roomVersion } from "../../../src/matrix/room-version.js";
import { nodeCrypto } from "../../../src/node/index.js";
import type { Snapshot } from "../../../src/ports.js";
import { type MemoryRooms, type MemoryRoomsOptions, memoryRooms } from "../../../src/testing/memory/index.js";
import { alice, bob, carol, key, must, otherKey, present, room1 } from "./samples.js";

const server = (more: Partial<MemoryRoomsOptions> = {}): MemoryRooms =>
  memoryRooms({ crypto: nodeCrypto, serverName: "a.example", key, now: () => 1000, ...more });

const names = { type: "m.room.name", stateKey: "" };
const levels = { type: "m.room.power_levels", stateKey: "" };
const invite = (token: string): StateEntry => ({ type: "m.room.third_party_invite", stateKey: token });

const name = (text: string) => ({
  type: "m.room.name",
  sender: alice,
  state_key: "",
  content: { name: text },
});

const tokenEvent = (
  roomId: string,
  token: string,
  content: JsonObject = { display_name: "d" },
): EventTemplate => ({
  type: "m.room.third_party_invite",
  room_id: roomId,
  sender: alice,
  state_key: token,
  content,
});

const snapshot = async (
  memory: MemoryRooms,
  roomId: RoomId,
  entries: readonly StateEntry[] = [],
): Promise<Snapshot> => {
  const answer = await memory.rooms.snapshot(roomId, entries, {});
  if (answer._tag !== "Snapshot") throw new Error(`Not a snapshot but ${answer._tag}.`);
  return answer;
};

describe.each(["1", "3", "6", "10", "11", "12"])("a room of version %s", (id) => {
  const version = present(roomVersion(id));
  const memory = server();
  const roomId = memory.create({ version: id, creator: alice });
  const appended = memory.events.append(
    { roomId, revision: "99", reads: [], events: [tokenEvent(roomId, "t1"), tokenEvent(roomId, "t2")] },
    {},
  );

  it("begins with the create event, the join, the power levels and the join rules", () => {
    const types = memory.timeline(roomId).map(({ pdu }) => pdu["type"]);
    expect(types.slice(0, 4)).toEqual([
      "m.room.create",
      "m.room.member",
      "m.room.power_levels",
      "m.room.join_rules",
    ]);
    const state = memory.state(roomId);
    expect(membershipOf(state, alice)).toBe("join");
    expect(mayInvite(state, alice)).toBe(true);
    expect(state).toMatchObject({ roomId, version });
  });

  it("has signed events with their content hashes and IDs", async () => {
    expect(await appended).toMatchObject({ _tag: "Appended" });
    const by = { entity: "a.example", keyId: key.keyId, publicKey: key.publicKey };
    for (const { pdu, ...event } of memory.timeline(roomId)) {
      expect(isRight(verifyPdu(nodeCrypto, pdu, version, by))).toBe(true);
      expect(contentHashMatches(nodeCrypto, pdu, version)).toBe(true);
      expect(must(eventId(nodeCrypto, pdu, version))).toBe(event.eventId);
    }
  });

  it("has events of one chain, with the auth events that the rules ask for", async () => {
    await appended;
    const timeline = memory.timeline(roomId);
    const ids = (references: unknown): unknown[] =>
      (Array.isArray(references) ? references : []).map((one: unknown) =>
        Array.isArray(one) ? (one[0] as unknown) : one,
      );
    expect(timeline.map(({ pdu }) => ids(pdu["prev_events"]))).toEqual([
      [],
      ...timeline.slice(0, -1).map((event) => [event.eventId]),
    ]);
    expect(timeline.map(({ pdu }) => pdu["depth"])).toEqual([1, 2, 3, 4, 5, 6]);
    const [create, join, power] = timeline.map((event) => event.eventId);
    const expected = version.roomIdIsCreateEvent ? [power, join] : [create, power, join];
    expect(new Set(ids(timeline[5]?.pdu["auth_events"]))).toEqual(new Set(expected));
  });

  it("has its ID from its create event", () => {
    const [create] = memory.timeline(roomId);
    expect(must(roomIdOfCreate(nodeCrypto, present(create).pdu, version))).toBe(roomId);
    expect("room_id" in present(create).pdu).toBe(id !== "12");
  });

  it("can be taken over by another server, and goes on there", () => {
    const other = server({ serverName: "b.example", key: otherKey });
    other.load(
      roomId,
      id,
      memory.timeline(roomId).map(({ pdu }) => pdu),
    );
    expect(other.timeline(roomId)).toEqual(memory.timeline(roomId));
    const join = other.append(roomId, {
      type: "m.room.member",
      sender: bob,
      state_key: bob,
      content: { membership: "join" },
    });
    expect(memory.receive(roomId, join.pdu)).toEqual(join);
    expect(memory.receive(roomId, join.pdu)).toEqual(join);
    expect(memory.timeline(roomId)).toEqual(other.timeline(roomId));
    expect(membershipOf(memory.state(roomId), bob)).toBe("join");
  });
});

describe("memoryRooms", () => {
  it("makes the room that was asked for", () => {
    const memory = server();
    const roomId = memory.create({
      version: "10",
      creator: alice,
      roomId: room1,
      federate: false,
      createContent: { type: "m.space" },
      powerLevels: { invite: 50 },
      joinRule: "public",
    });
    expect(roomId).toBe(room1);
    const state = memory.state(roomId);
    expect(state.get("m.room.create", "")?.content).toEqual({
      creator: alice,
      room_version: "10",
      "m.federate": false,
      type: "m.space",
    });
    expect(state.get("m.room.power_levels", "")?.content).toEqual({ users: { [alice]: 100 }, invite: 50 });
    expect(state.get("m.room.join_rules", "")?.content).toEqual({ join_rule: "public" });
  });

  it.each(["1", "12"])("makes two rooms of version %s at one time", (version) => {
    const memory = server();
    const one = memory.create({ version, creator: alice });
    expect(memory.create({ version, creator: alice })).not.toBe(one);
  });

  it("tells the author of a test what is wrong", () => {
    const memory = server();
    expect(() => memory.create({ version: "99", creator: alice })).toThrow("no room version 99");
    expect(() => memory.create({ version: "12", creator: alice, roomId: room1 })).toThrow("leave roomId out");
    expect(() => memory.state(room1)).toThrow("a.example is not in the room !1:a.example");
    memory.create({ version: "10", creator: alice, roomId: room1 });
    expect(() => memory.create({ version: "10", creator: alice, roomId: room1 })).toThrow("already");
    expect(() => memory.append(room1, { ...name("x"), content: { name: 0.5 } })).toThrow("cannot be signed");
  });

  it("signs as another server where told to", () => {
    const memory = server();
    const roomId = memory.create({ version: "1", creator: alice });
    const event = { type: "m.room.member", sender: carol, state_key: carol, content: { membership: "join" } };
    const { pdu, eventId: id } = memory.append(roomId, event, { serverName: "c.example", key: otherKey });
    const by = { entity: "c.example", keyId: otherKey.keyId, publicKey: otherKey.publicKey };
    expect(isRight(verifyPdu(nodeCrypto, pdu, present(roomVersion("1")), by))).toBe(true);
    expect(id.endsWith(":c.example")).toBe(true);
  });

  it("names every event that no other has named before as the previous ones", () => {
    const memory = server();
    const roomId = memory.create({ version: "10", creator: alice });
    const other = server({ serverName: "b.example", key: otherKey });
    other.load(
      roomId,
      "10",
      memory.timeline(roomId).map(({ pdu }) => pdu),
    );
    const theirs = other.append(roomId, { ...name("theirs"), type: "m.room.topic" });
    const ours = memory.append(roomId, name("ours"));
    memory.receive(roomId, theirs.pdu);
    const { pdu } = memory.append(roomId, {
      type: "m.room.message",
      sender: alice,
      content: { body: "hello" },
    });
    expect(pdu["prev_events"]).toEqual([ours.eventId, theirs.eventId]);
    expect(memory.stateEvents(roomId)).toHaveLength(6);
  });
});

describe("the rooms port", () => {
  it("shows the entries that were asked for, and only those", async () => {
    const memory = server();
    const roomId = memory.create({ version: "11", creator: alice });
    const { get, roomVersion: version } = await snapshot(memory, roomId, [levels, names]);
    expect(version).toBe("11");
    expect(get("m.room.power_levels", "")?.sender).toBe(alice);
    expect(get("m.room.name", "")).toBeUndefined();
    expect(get("m.room.create", "")).toBeUndefined();
  });

  it("shows one point: what comes later does not show in it", async () => {
    const memory = server();
    const roomId = memory.create({ version: "11", creator: alice });
    memory.append(roomId, name("before"));
    const { get } = await snapshot(memory, roomId, [names]);
    const state = memory.state(roomId);
    memory.append(roomId, name("after"));
    expect(get("m.room.name", "")?.content).toEqual({ name: "before" });
    expect(state.get("m.room.name", "")?.content).toEqual({ name: "before" });
  });

  it("says where this server is not resident", async () => {
    const memory = server();
    expect(await memory.rooms.snapshot(room1, [], {})).toEqual({ _tag: "NotResident" });
    const roomId = memory.create({ version: "11", creator: alice });
    memory.leave(roomId);
    expect(await memory.rooms.snapshot(roomId, [], {})).toEqual({ _tag: "NotResident" });
  });

  it("lists the tokens of a room as it is now: of each once, the emptied ones too, and of no other type", async () => {
    const memory = server();
    const roomId = memory.create({ version: "10", creator: alice });
    const other = memory.create({ version: "10", creator: alice });
    const tokens = () => memory.rooms.tokens(roomId, {});
    expect(await tokens()).toEqual({ _tag: "Tokens", tokens: [] });
    const odd = ["t1", "", "__proto__", "t:1", '"]', "t1"];
    for (const token of odd) memory.append(roomId, tokenEvent(roomId, token));
    memory.append(other, tokenEvent(other, "elsewhere"));
    memory.append(roomId, tokenEvent(roomId, "t1", {}));
    memory.append(roomId, { ...name("x"), type: "m.room.third_party_invite.x", state_key: "no" });
    const answer = await tokens();
    expect(answer._tag === "Tokens" && [...answer.tokens].sort()).toEqual([...new Set(odd)].sort());
  });

  it("does not list an event without a state key: it is no state", async () => {
    const memory = server();
    const roomId = memory.create({ version: "10", creator: alice });
    const { state_key: _, ...message } = tokenEvent(roomId, "t1");
    memory.append(roomId, message);
    expect(await memory.rooms.tokens(roomId, {})).toEqual({ _tag: "Tokens", tokens: [] });
  });

  it("lists the tokens of a room that was taken over, and none of one that it is not in", async () => {
    const memory = server();
    const roomId = memory.create({ version: "10", creator: alice });
    memory.append(roomId, tokenEvent(roomId, "t1"));
    const other = server({ serverName: "b.example", key: otherKey });
    expect(await other.rooms.tokens(roomId, {})).toEqual({ _tag: "NotResident" });
    other.load(
      roomId,
      "10",
      memory.timeline(roomId).map(({ pdu }) => pdu),
    );
    expect(await other.rooms.tokens(roomId, {})).toEqual({ _tag: "Tokens", tokens: ["t1"] });
    other.leave(roomId);
    expect(await other.rooms.tokens(roomId, {})).toEqual({ _tag: "NotResident" });
  });

  it("gives events that nobody can change", async () => {
    const memory = server();
    const roomId = memory.create({ version: "11", creator: alice });
    const { get } = await snapshot(memory, roomId, [levels]);
    const content = member(get("m.room.power_levels", ""), "content");
    expect(() => Object.assign(content ?? {}, { invite: 100 })).toThrow(TypeError);
  });
});

describe("the events port", () => {
  const prepared = async (more: Partial<MemoryRoomsOptions> = {}) => {
    const memory = server(more);
    const roomId = memory.create({ version: "11", creator: alice });
    const { revision } = await snapshot(memory, roomId, [levels, invite("t")]);
    const append = (
      events: readonly EventTemplate[] = [tokenEvent(roomId, "t")],
      reads = [levels, invite("t")],
    ) => memory.events.append({ roomId, revision, reads, events }, {});
    return { memory, roomId, append, length: memory.timeline(roomId).length };
  };

  it("appends events in their order, and answers with their IDs", async () => {
    const { memory, roomId, append } = await prepared();
    const answer = await append([
      tokenEvent(roomId, "t"),
      tokenEvent(roomId, "u"),
      tokenEvent(roomId, "u", {}),
    ]);
    const last = memory.timeline(roomId).slice(-3);
    expect(answer).toEqual({ _tag: "Appended", eventIds: last.map(({ eventId: id }) => id) });
    expect(last.map(({ pdu }) => pdu["state_key"])).toEqual(["t", "u", "u"]);
    expect(memory.state(roomId).get("m.room.third_party_invite", "u")?.content).toEqual({});
  });

  it("conflicts where an entry that was read has changed, and appends nothing", async () => {
    const { memory, roomId, append, length } = await prepared();
    memory.append(roomId, { ...name(""), type: "m.room.power_levels", content: { users: {} } });
    expect(await append()).toEqual({ _tag: "Conflict" });
    expect(memory.timeline(roomId)).toHaveLength(length + 1);
  });

  it("conflicts where an entry that was not there now is", async () => {
    const { append } = await prepared();
    expect(await append()).toMatchObject({ _tag: "Appended" });
    expect(await append()).toEqual({ _tag: "Conflict" });
  });

  it("lets one of two concurrent appends win", async () => {
    const { append } = await prepared({ beforeAppend: () => Promise.resolve({ _tag: "Go" }) });
    const tags = (await Promise.all([append(), append()])).map(({ _tag }) => _tag);
    expect(tags.sort()).toEqual(["Appended", "Conflict"]);
  });

  it("does not conflict on an unrelated change, in this room or another", async () => {
    const { memory, roomId, append } = await prepared();
    memory.append(roomId, name("unrelated"));
    memory.append(roomId, { type: "m.room.message", sender: alice, content: { body: "hello" } });
    memory.append(memory.create({ version: "11", creator: alice }), name("elsewhere"));
    expect(await append()).toMatchObject({ _tag: "Appended" });
  });

  it("conflicts where the server has left the room, or taken it over anew", async () => {
    const { memory, roomId, append } = await prepared();
    const pdus = memory.timeline(roomId).map(({ pdu }) => pdu);
    memory.leave(roomId);
    expect(await append()).toEqual({ _tag: "Conflict" });
    memory.load(roomId, "11", pdus);
    expect(await append()).toEqual({ _tag: "Conflict" });
  });

  it("conflicts on a revision that it never gave", async () => {
    const { memory, roomId } = await prepared();
    const request = { roomId, revision: "?", reads: [levels], events: [tokenEvent(roomId, "t")] };
    expect(await memory.events.append(request, {})).toEqual({ _tag: "Conflict" });
  });

  it.each([
    ["is of another room", tokenEvent("!elsewhere:a.example", "u")],
    ["is no canonical JSON", { content: { odd: 0.5 } }],
  ])("appends none where one of the events %s", async (_, wrong) => {
    const { memory, roomId, append, length } = await prepared();
    const events = [tokenEvent(roomId, "t"), { ...tokenEvent(roomId, "u"), ...wrong }];
    expect(await append(events)).toMatchObject({ _tag: "Refused", status: 400, errcode: "M_BAD_JSON" });
    expect(memory.timeline(roomId)).toHaveLength(length);
  });

  it("appends nothing where the hook refuses, and passes the refusal on", async () => {
    const refused = { _tag: "Refused", status: 403, errcode: "M_FORBIDDEN", message: "No." } as const;
    const { memory, roomId, append, length } = await prepared({
      beforeAppend: () => Promise.resolve(refused),
    });
    expect(await append()).toEqual(refused);
    expect(memory.timeline(roomId)).toHaveLength(length);
  });

  it("stores the events with the signature that the hook has added, and then tells of them", async () => {
    const version = present(roomVersion("11"));
    const told: unknown[] = [];
    const { memory, roomId, append } = await prepared({
      beforeAppend: (pdus) =>
        Promise.resolve({
          _tag: "Go",
          pdus: pdus.map((event) => ({
            ...event,
            pdu: must(signPdu(event.pdu, version, "b.example", otherKey)),
          })),
        }),
      afterAppend: (pdus, room) => {
        told.push([room, pdus]);
        return Promise.resolve();
      },
    });
    const answer = await append();
    const last = present(memory.timeline(roomId).at(-1));
    expect(answer).toEqual({ _tag: "Appended", eventIds: [last.eventId] });
    for (const [entity, { keyId, publicKey }] of [
      ["a.example", key],
      ["b.example", otherKey],
    ] as const)
      expect(isRight(verifyPdu(nodeCrypto, last.pdu, version, { entity, keyId, publicKey }))).toBe(true);
    expect(told).toEqual([[roomId, [last]]]);
  });

  it("conflicts where the room has changed while the hook was asked", async () => {
    const change: (() => void)[] = [];
    const { memory, roomId, append, length } = await prepared({
      beforeAppend: () => {
        for (const act of change) act();
        return Promise.resolve({ _tag: "Go" });
      },
    });
    change.push(() =>
      memory.append(roomId, { ...name(""), type: "m.room.power_levels", content: { users: {} } }),
    );
    expect(await append()).toEqual({ _tag: "Conflict" });
    expect(memory.timeline(roomId)).toHaveLength(length + 1);
  });

  it("conflicts where the server has left the room while the hook was asked", async () => {
    const left: (() => void)[] = [];
    const { memory, roomId, append } = await prepared({
      beforeAppend: () => {
        for (const leave of left) leave();
        return Promise.resolve({ _tag: "Go" });
      },
    });
    left.push(() => {
      memory.leave(roomId);
    });
    expect(await append()).toEqual({ _tag: "Conflict" });
  });

  it("lets an event name the one before it, of the same append, as its auth event", async () => {
    const { memory, roomId, append } = await prepared();
    const profile = { membership: "join", displayname: "Alice" };
    const join: EventTemplate = {
      type: "m.room.member",
      room_id: roomId,
      sender: alice,
      state_key: alice,
      content: profile,
    };
    await append([join, tokenEvent(roomId, "t")]);
    const [first, second] = memory.timeline(roomId).slice(-2);
    expect(present(second).pdu["auth_events"]).toContain(present(first).eventId);
  });
});
