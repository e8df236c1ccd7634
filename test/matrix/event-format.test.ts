import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { nodeCrypto, nodeSigningKey } from "matrix-third-party-invites/node";
import {
  type JsonObject,
  type PduFacts,
  completePdu,
  roomVersionIds,
} from "matrix-third-party-invites/matrix";
import { checkEventFormat } from "../../src/matrix/event-format.js";
import { WrittenNumber } from "../../src/matrix/written-number.js";
import { anything } from "./arbitrary-json.js";
import { version } from "./versions.js";

const key = nodeSigningKey("ed25519:1", new Uint8Array(32).fill(1));

const complete = (id: string, template: JsonObject, facts: Partial<PduFacts> = {}) => {
  const whole: JsonObject = {
    type: "m.room.member",
    room_id: "!room:example.org",
    sender: "@alice:example.org",
    state_key: "@bob:example.org",
    content: { membership: "invite" },
    ...template,
  };
  // JSON has no undefined: a member that is undefined is not there.
  const given = Object.fromEntries(Object.entries(whole).filter(([, value]) => value !== undefined));
  return completePdu(nodeCrypto, given, {
    version: version(id),
    authEvents: [],
    prevEvents: [],
    depth: 5,
    originServerTs: 1,
    eventId: "$event:example.org",
    serverName: "example.org",
    key,
    ...facts,
  });
};

const made = (id: string, template: JsonObject = {}): JsonObject => {
  const completed = complete(id, template);
  if (completed._tag === "Left") throw new Error("The event could not be made.");
  return completed.right.pdu;
};

const ids = (count: number): readonly unknown[] => Array.from({ length: count }, (_, at) => `$event${at}`);

const wrong: readonly (readonly [field: string, value: unknown])[] = [
  ["type", 5],
  ["type", undefined],
  ["type", "x".repeat(256)],
  ["sender", "alice"],
  ["sender", `@${"a".repeat(250)}:example.org`],
  ["state_key", null],
  ["state_key", "é".repeat(128)],
  ["room_id", "room"],
  ["room_id", undefined],
  ["content", []],
  ["content", undefined],
  ["depth", "5"],
  ["depth", -1],
  ["depth", 1.5],
  ["depth", undefined],
  ["origin_server_ts", "1"],
  ["origin_server_ts", undefined],
  ["hashes", {}],
  ["hashes", { sha256: 5 }],
  ["signatures", { "example.org": { "ed25519:1": 5 } }],
  ["signatures", { "example.org": "x" }],
  ["signatures", undefined],
  ["auth_events", ids(11)],
  ["auth_events", "x"],
  ["auth_events", ["event"]],
  ["prev_events", ids(21)],
  ["prev_events", [5]],
  ["prev_events", undefined],
];

describe.each(roomVersionIds)("the format of an event in version %s", (id) => {
  it("is that of the events that we make", () => {
    expect(checkEventFormat(made(id), version(id))).toMatchObject({ _tag: "Right" });
  });

  it.each<[string, JsonObject, Partial<PduFacts>]>([
    ["event", { content: { reason: "x".repeat(66_000) } }, {}],
    ["state_key", { state_key: "x".repeat(300) }, {}],
    ["sender", { sender: "alice" }, {}],
    ["prev_events", {}, { prevEvents: Array(25).fill({ eventId: "$x", referenceHash: new Uint8Array(32) }) }],
  ])("we make no event that has it not: %s", (field, template, facts) => {
    expect(complete(id, template, facts)).toEqual({ _tag: "Left", left: { _tag: "BadFormat", field } });
  });

  it("we make no event whose time is beyond 2^53", () => {
    expect(complete(id, {}, { originServerTs: 2 ** 53 })._tag).toBe("Left");
  });

  it.each(wrong)("%s %j is wrong", (field, value) => {
    const { [field]: _, ...rest } = made(id);
    const pdu = value === undefined ? rest : { ...rest, [field]: value };
    expect(checkEventFormat(pdu, version(id))).toEqual({ _tag: "Left", left: { _tag: "BadFormat", field } });
  });

  it("has 65,536 bytes and no more", () => {
    const size = (pdu: JsonObject): number => new TextEncoder().encode(JSON.stringify(pdu)).length;
    const filled = (bytes: number): JsonObject => {
      const pdu = { ...made(id), content: { x: "" } };
      return { ...pdu, content: { x: "x".repeat(bytes - size(pdu)) } };
    };
    expect(checkEventFormat(filled(65_536), version(id))._tag).toBe("Right");
    expect(checkEventFormat(filled(65_537), version(id))).toMatchObject({ left: { field: "event" } });
  });

  it("never throws", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), anything), fc.constantFrom(...wrong), (more, [field, value]) => {
        checkEventFormat({ ...made(id), ...more, [field]: value }, version(id));
      }),
      { numRuns: 50 },
    );
  });
});

describe("what differs between room versions", () => {
  it("versions 1 and 2 name events by ID and hash, the others by ID", () => {
    const pair = ["$event:example.org", { sha256: "x" }];
    const tags = (reference: unknown) =>
      roomVersionIds.map(
        (id) => checkEventFormat({ ...made(id), prev_events: [reference] }, version(id))._tag,
      );
    expect(tags(pair)).toEqual(roomVersionIds.map((id) => (Number(id) < 3 ? "Right" : "Left")));
    expect(tags(["$event:example.org", {}])).toEqual(tags(pair));
    expect(tags(["$event:example.org", "x"])).toEqual(roomVersionIds.map(() => "Left"));
    expect(tags("$event")).toEqual(roomVersionIds.map((id) => (Number(id) < 3 ? "Left" : "Right")));
  });

  it("versions 1 and 2 have an event_id", () => {
    const tags = roomVersionIds.map((id) => {
      const { event_id: _, ...rest } = made(id);
      return checkEventFormat(rest, version(id))._tag;
    });
    expect(tags).toEqual(roomVersionIds.map((id) => (Number(id) < 3 ? "Left" : "Right")));
  });

  it("a create event of version 12 has no room_id, any other has one", () => {
    const create = { type: "m.room.create", state_key: "" };
    const without = made("12", { ...create, room_id: undefined });
    expect(checkEventFormat(without, version("12"))._tag).toBe("Right");
    const named = { ...without, room_id: "!room" };
    expect(checkEventFormat(named, version("12"))).toMatchObject({ left: { field: "room_id" } });
    expect(checkEventFormat(made("11", create), version("11"))._tag).toBe("Right");
  });

  it("a depth beyond 2^53 is one of versions 1 to 5 only", () => {
    const depth = new WrittenNumber("9007199254740993");
    const tags = roomVersionIds.map((id) => checkEventFormat({ ...made(id), depth }, version(id))._tag);
    expect(tags).toEqual(roomVersionIds.map((id) => (Number(id) < 6 ? "Right" : "Left")));
  });
});
