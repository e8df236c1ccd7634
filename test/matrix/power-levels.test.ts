import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { EventLike } from "../../src/matrix/event.js";
import { inviteLevel, mayInvite, readLevel, userLevel } from "../../src/matrix/power-levels.js";
import { roomState } from "../../src/matrix/room-state.js";
import { roomVersionIds } from "../../src/matrix/room-version.js";
import { WrittenNumber } from "../../src/matrix/written-number.js";
import { anything } from "./arbitrary-json.js";
import { version } from "./versions.js";

const [alice, bob, carol] = ["@alice:example.org", "@bob:example.org", "@carol:example.org"];

const create = (content: unknown): EventLike => ({
  type: "m.room.create",
  state_key: "",
  sender: alice,
  content,
});
const levels = (content: unknown): EventLike => ({ type: "m.room.power_levels", state_key: "", content });
const stateOf = (id: string, ...events: readonly EventLike[]) =>
  roomState("!room:example.org", version(id), events);

const kinds = {
  "1-5": "integers, strings and floats",
  "6-9": "integers and strings",
  "10-12": "integers",
} as const;

describe("what a level may be", () => {
  it.each([
    ["an integer", 0, 0, 0, 0],
    ["an integer", -1, -1, -1, -1],
    ["the range", 2 ** 53 - 1, 2 ** 53 - 1, 2 ** 53 - 1, 2 ** 53 - 1],
    ["the range", -(2 ** 53) + 1, -(2 ** 53) + 1, -(2 ** 53) + 1, -(2 ** 53) + 1],
    ["the range", 2 ** 53, 2 ** 53, undefined, undefined],
    ["a string", "100", 100, 100, undefined],
    ["a string", " +100 ", 100, 100, undefined],
    ["a string", "000100", 100, 100, undefined],
    ["a string", "\t-007\n", -7, -7, undefined],
    ["a string", "", undefined, undefined, undefined],
    ["a string", " ", undefined, undefined, undefined],
    ["a string", "+", undefined, undefined, undefined],
    ["a string", "+-1", undefined, undefined, undefined],
    ["a string", "- 1", undefined, undefined, undefined],
    ["a string", "1 0", undefined, undefined, undefined],
    ["a string", "1_000", undefined, undefined, undefined],
    ["a string", "1e2", undefined, undefined, undefined],
    ["a string", "0x10", undefined, undefined, undefined],
    ["a string", "1.5", undefined, undefined, undefined],
    ["a string", "Infinity", undefined, undefined, undefined],
    ["a fraction", 5.114698e4, 51146, undefined, undefined],
    ["a fraction", new WrittenNumber("50.0"), 50, 50, 50],
    ["a fraction", new WrittenNumber("5.19e1"), 51, undefined, undefined],
    ["a fraction", new WrittenNumber("1e400"), undefined, undefined, undefined],
    ["a fraction", 50.9, 50, undefined, undefined],
    ["a fraction", -50.9, -50, undefined, undefined],
    ["a fraction", 1e300, 1e300, undefined, undefined],
    ["a fraction", Infinity, undefined, undefined, undefined],
    ["a fraction", NaN, undefined, undefined, undefined],
    ["another type", true, undefined, undefined, undefined],
    ["another type", null, undefined, undefined, undefined],
    ["another type", [50], undefined, undefined, undefined],
    ["another type", {}, undefined, undefined, undefined],
  ])("%s: %j is %s in versions 1-5, %s in 6-9, %s in 10-12", (_, value, first, second, third) => {
    expect(readLevel(value, kinds["1-5"])).toBe(first);
    expect(readLevel(value, kinds["6-9"])).toBe(second);
    expect(readLevel(value, kinds["10-12"])).toBe(third);
  });

  it.each([[-0], ["-0"], [" -000 "], [-0.5]])("%j is 0, not -0", (value) => {
    expect(readLevel(value, kinds["1-5"])).toBe(0);
  });

  it("any integer may be written with blanks, a sign and zeroes before it", () => {
    const blanks = fc.constantFrom("", " ", "\t ", "\n");
    fc.assert(
      fc.property(
        fc.maxSafeNat(),
        fc.constantFrom("", "+", "-"),
        fc.nat(9),
        blanks,
        blanks,
        (n, sign, zeroes, before, after) => {
          const text = `${before}${sign}${"0".repeat(zeroes)}${n}${after}`;
          expect(readLevel(text, kinds["6-9"])).toBe(sign === "-" ? 0 - n : n);
        },
      ),
    );
  });

  it("a float is truncated to an integer", () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (float) => {
        const level = readLevel(float, kinds["1-5"]) ?? NaN;
        expect(Number.isInteger(level)).toBe(true);
        expect(Math.abs(level)).toBeLessThanOrEqual(Math.abs(float));
        expect(Math.abs(float - level)).toBeLessThan(1);
      }),
    );
  });
});

describe("a user's level", () => {
  const content = { users: { [alice]: 60, [bob]: 0 }, users_default: 20 };

  it.each(roomVersionIds)("is users[u], else users_default, else 0, in version %s", (id) => {
    const somebody = create({ creator: carol });
    const state = stateOf(id, { ...somebody, sender: carol }, levels(content));
    expect([alice, bob].map((user) => userLevel(state, user))).toEqual([60, 0]);
    expect(userLevel(state, "@dave:example.org")).toBe(20);
    expect(userLevel(stateOf(id, levels({})), alice)).toBe(0);
    expect(userLevel(stateOf(id, levels({ users: {} })), alice)).toBe(0);
  });

  it("is an own member of users only", () => {
    const state = stateOf("10", levels({ users: {}, users_default: 5 }));
    for (const name of ["__proto__", "constructor", "toString"]) expect(userLevel(state, name)).toBe(5);
    const own = stateOf("10", levels(JSON.parse('{"users":{"__proto__":7}}')));
    expect(userLevel(own, "__proto__")).toBe(7);
  });

  it.each([
    [{ users: { [alice]: "x" }, users_default: 100 }],
    [{ users: [] }],
    [{ users: "x", users_default: 100 }],
    [{ users: null }],
    [{ users_default: {} }],
    [{ users_default: null }],
  ])("is none where %j does not say one", (malformed) => {
    expect(userLevel(stateOf("10", levels(malformed)), alice)).toBeUndefined();
  });
});

describe("without power levels the creator has 100, others 0", () => {
  it.each(roomVersionIds.slice(0, 10))("the creator that version %s names in the content", (id) => {
    const state = stateOf(id, create({ creator: bob, additional_creators: [carol] }));
    expect([alice, bob, carol].map((user) => userLevel(state, user))).toEqual([0, 100, 0]);
  });

  it("the sender in version 11 (no other creators)", () => {
    const state = stateOf("11", create({ creator: bob, additional_creators: [carol] }));
    expect([alice, bob, carol].map((user) => userLevel(state, user))).toEqual([100, 0, 0]);
  });

  it.each(roomVersionIds.slice(0, 11))("nobody where there is no create event, in version %s", (id) => {
    expect(userLevel(stateOf(id), alice)).toBe(0);
  });

  it.each(roomVersionIds.slice(0, 11))(
    "a creator that the power levels do not name is like the others in version %s",
    (id) => {
      expect(userLevel(stateOf(id, create({ creator: alice }), levels({})), alice)).toBe(0);
    },
  );
});

describe("in version 12 the creators' power is infinite", () => {
  const founders = create({ creator: carol, additional_creators: [bob, 1, null] });

  it("that of the sender and of the additional ones, and of nobody else", () => {
    const state = stateOf("12", founders);
    expect([alice, bob, carol].map((user) => userLevel(state, user))).toEqual([Infinity, Infinity, 0]);
  });

  it("and no power levels lower it", () => {
    const state = stateOf("12", founders, levels({ users: { [alice]: 0, [bob]: -1 }, invite: 2 ** 53 - 1 }));
    expect([alice, bob].map((user) => userLevel(state, user))).toEqual([Infinity, Infinity]);
    expect([alice, bob, carol].map((user) => mayInvite(state, user))).toEqual([true, true, false]);
  });

  it.each([[bob], [{ 0: bob }], [null]])("additional_creators %j names nobody", (additional) => {
    expect(userLevel(stateOf("12", create({ additional_creators: additional })), bob)).toBe(0);
  });
});

describe("the level to invite", () => {
  it.each(roomVersionIds)("is 0 where the event or its member is missing, in version %s", (id) => {
    expect(inviteLevel(stateOf(id))).toBe(0);
    expect(inviteLevel(stateOf(id, levels({ users_default: 50, state_default: 50 })))).toBe(0);
    expect(inviteLevel(stateOf(id, levels({ invite: 50 })))).toBe(50);
  });

  it.each([[null], ["x"], [{}], [true]])("is none where it is %j", (invite) => {
    expect(inviteLevel(stateOf("9", levels({ invite })))).toBeUndefined();
  });
});

describe("who may invite", () => {
  it.each([
    ["as much as is needed", { invite: 50, users: { [bob]: 50 } }, true],
    ["less", { invite: 50, users: { [bob]: 49 } }, false],
    ["more", { invite: -1, users_default: 0 }, true],
    ["a level below a default", { users_default: -1 }, false],
    ["what says nothing of it", {}, true],
    ["a level that is none", { users: { [bob]: null } }, false],
    ["a need that is none", { invite: null, users: { [bob]: 100 } }, false],
  ])("%s: %j, %s", (_, content, expected) => {
    expect(mayInvite(stateOf("10", levels(content)), bob)).toBe(expected);
  });

  it("power alone is asked here, not whether somebody is in the room", () => {
    expect(mayInvite(stateOf("12", create({})), alice)).toBe(true);
  });
});

it("never throws", () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...roomVersionIds),
      anything,
      anything,
      fc.string(),
      (id, content, createContent, user) => {
        const state = stateOf(id, levels(content), create(createContent));
        expect(typeof mayInvite(state, user)).toBe("boolean");
        expect(["number", "undefined"]).toContain(typeof readLevel(content, version(id).levels));
      },
    ),
  );
});
