import { describe, expect, it } from "vitest";
import type { EventLike } from "../../src/matrix/event.js";
import { membershipOf, roomState, stateEvent } from "../../src/matrix/room-state.js";
import { version } from "./versions.js";

const stateOf = (...events: readonly EventLike[]) => roomState("!room:example.org", version("10"), events);

describe("a view of events in a list", () => {
  const name = { type: "m.room.name", state_key: "", content: { name: "one" } };

  it("answers with the event at a place, and with nothing elsewhere", () => {
    const state = stateOf(name);
    expect(state.get("m.room.name", "")).toBe(name);
    expect(state.get("m.room.name", "other")).toBeUndefined();
    expect(state.get("m.room.topic", "")).toBeUndefined();
    expect([state.roomId, state.version.id]).toEqual(["!room:example.org", "10"]);
  });

  it("of two events in one place the later counts", () => {
    const later = { ...name, content: { name: "two" } };
    expect(stateOf(name, later).get("m.room.name", "")).toBe(later);
  });

  it.each([
    ["without a state key", { type: "m.room.name" }],
    ["with a state key that is no text", { type: "m.room.name", state_key: 0 }],
    ["without a type", { state_key: "" }],
    ["with a type that is no text", { type: null, state_key: "" }],
    ["that is null", null as never],
    ["that is a text", "m.room.name" as never],
  ])("an event %s is no state", (_, event: EventLike) => {
    const state = stateOf(name, event);
    expect(state.get("m.room.name", "")).toBe(name);
    for (const [type, key] of [
      ["undefined", ""],
      ["null", ""],
      ["m.room.name", "0"],
      ["m.room.name", "undefined"],
    ] as const)
      expect(state.get(type, key)).toBeUndefined();
  });

  it.each(["__proto__", "constructor", "toString"])("%s is a place as any other", (odd) => {
    expect(stateOf().get(odd, odd)).toBeUndefined();
    const event = { type: odd, state_key: odd };
    expect(stateOf(event).get(odd, odd)).toBe(event);
  });

  it("reads any iterable, once", () => {
    function* events(): Generator<EventLike> {
      yield name;
    }
    const state = roomState("!room:example.org", version("12"), events());
    expect([state.get("m.room.name", ""), state.get("m.room.name", "")]).toEqual([name, name]);
  });
});

describe("where a user stands to the room", () => {
  const alice = "@alice:example.org";
  const member = (content: unknown): EventLike => ({ type: "m.room.member", state_key: alice, content });

  it.each(["join", "invite", "knock", "leave", "ban"])("%s", (membership) => {
    expect(membershipOf(stateOf(member({ membership })), alice)).toBe(membership);
  });

  it.each([
    [{}],
    [{ membership: "Join" }],
    [{ membership: 1 }],
    [{ membership: ["join"] }],
    [null],
    ["join"],
    [undefined],
  ])("%j counts as none", (content) => {
    expect(membershipOf(stateOf(member(content)), alice)).toBe("leave");
  });

  it("nobody has the empty ID, whatever stands under it", () => {
    expect(membershipOf(stateOf({ ...member({ membership: "join" }), state_key: "" }), "")).toBe("leave");
  });

  it("who has no member event has left", () => {
    expect(membershipOf(stateOf(member({ membership: "join" })), "@bob:example.org")).toBe("leave");
    expect(membershipOf(stateOf(), alice)).toBe("leave");
  });
});

describe("what a host's view answers is looked at again", () => {
  const member = { type: "m.room.member", state_key: "@zoe:a.example", content: { membership: "join" } };
  const view = (answer: unknown) => ({ ...stateOf(), get: () => answer as EventLike });

  it.each([
    ["null", null],
    ["a text", "event"],
    ["an event of another type", { ...member, type: "m.room.member:@zoe" }],
    ["an event with another state key", { ...member, state_key: "a.example" }],
    ["an event with a state key that is no text", { ...member, state_key: 7 }],
  ])("%s is no event there", (_, answer) => {
    expect(stateEvent(view(answer), "m.room.member", "@zoe:a.example")).toBeUndefined();
    expect(membershipOf(view(answer), "@zoe:a.example")).toBe("leave");
  });

  it("an event that does not repeat where it stands is taken as it is", () => {
    const { content } = member;
    expect(stateEvent(view({ content }), "m.room.member", "@zoe:a.example")).toEqual({ content });
  });
});
