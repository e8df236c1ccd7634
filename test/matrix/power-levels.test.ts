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
    ["a string", "1_000", 1000, 1000, undefined],
    ["a string", "1__0", undefined, undefined, undefined],
    ["a string", "_1", undefined, undefined, undefined],
    ["a string", "1_", undefined, undefined, undefined],
    ["a string", "\u0665\uff10", 50, 50, undefined],
    ["a string", "-\u{1d7d7}\u{1d7d8}\u{1d7e1}", -909, -909, undefined],
    ["a string", "\u00b2", undefined, undefined, undefined],
    ["a string", "\u3000\u008550\u2029", 50, 50, undefined],
    ["a string", "\ufeff50", undefined, undefined, undefined],
    ["a string", "\u001c50", undefined, undefined, undefined],
    ["a string", "+5", 5, 5, undefined],
    ["a string", "9007199254740991", 2 ** 53 - 1, 2 ** 53 - 1, undefined],
    ["beyond 2^53", "9007199254740993", 2n ** 53n + 1n, 2n ** 53n + 1n, undefined],
    ["beyond 2^53", "-0_9007199254740993", -(2n ** 53n) - 1n, -(2n ** 53n) - 1n, undefined],
    ["beyond 2^53", "9".repeat(4_300), 10n ** 4_300n - 1n, 10n ** 4_300n - 1n, undefined],
    ["beyond 2^53", "9".repeat(4_301), undefined, undefined, undefined],
    ["beyond 2^53", new WrittenNumber("-9007199254740993"), -(2n ** 53n) - 1n, undefined, undefined],
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
    ["a boolean", true, 1, 1, undefined],
    ["a boolean", false, 0, 0, undefined],
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

  it("the characters that Python takes for blanks are blanks, and no others", () => {
    const blanks =
      "9 a b c d 20 85 a0 1680 2000 2001 2002 2003 2004 2005 2006 2007 2008 2009 200a 2028 2029 202f 205f 3000";
    const found: string[] = [];
    for (let code = 0; code < 0x10000; code += 1) {
      const character = String.fromCharCode(code);
      if (!/[\p{Nd}+-]/u.test(character) && readLevel(`${character}5`, kinds["1-5"]) !== undefined)
        found.push(code.toString(16));
    }
    expect(found.join(" ")).toBe(blanks);
  });

  it("the digits of every script count, from 0 to 9", () => {
    for (const zero of [0x30, 0x660, 0x966, 0xff10, 0x104a0, 0x1d7ce, 0x1d7d8, 0x1d7e2, 0x1d7f6])
      for (let digit = 0; digit < 10; digit += 1)
        expect(readLevel(String.fromCodePoint(zero + digit), kinds["6-9"])).toBe(digit);
  });

  it("a float is truncated to an integer", () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (float) => {
        const level = Number(readLevel(float, kinds["1-5"]) ?? NaN);
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

  it.each([["x"], [{}], [[50]]])("is none where it is %j", (invite) => {
    expect(inviteLevel(stateOf("9", levels({ invite })))).toBeUndefined();
  });

  it.each(roomVersionIds)("null says nothing before version 10, and is no level from then on: %s", (id) => {
    const nothing = Number(id) < 10 ? 0 : undefined;
    expect(inviteLevel(stateOf(id, levels({ invite: null })))).toBe(nothing);
    expect(userLevel(stateOf(id, levels({ users_default: null })), bob)).toBe(nothing);
    expect(userLevel(stateOf(id, levels({ users: { [bob]: null }, users_default: 5 })), bob)).toBeUndefined();
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

  it.each([
    ["9007199254740992", "9007199254740993", false],
    ["9007199254740993", "9007199254740993", true],
    ["9007199254740993", "9007199254740992", true],
    ["-9007199254740993", "-9007199254740992", false],
    [2 ** 53 - 1, "9007199254740992", false],
    ["9".repeat(400), "9".repeat(401), false],
    ["1_0", 10, true],
    [" +5\n", "05", true],
  ])("texts are compared exactly: %s held, %s needed, %s", (held, invite, expected) => {
    for (const id of roomVersionIds.slice(0, 9))
      expect(mayInvite(stateOf(id, levels({ invite, users: { [bob]: held } })), bob)).toBe(expected);
    // From version 10 on a text is no level.
    expect(mayInvite(stateOf("10", levels({ invite, users: { [bob]: held } })), bob)).toBe(false);
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
        expect(["number", "bigint", "undefined"]).toContain(typeof readLevel(content, version(id).levels));
      },
    ),
  );
});
