import { describe, expect, test } from "vitest";
import { type NamedAuthEvent, checkAuthEvents } from "../../src/invite/check-auth-events.js";
import { selectAuthEvents } from "../../src/invite/select-auth-events.js";
import type { EventLike } from "../../src/matrix/event.js";
import { alice, bob, carol, codeOf, leftOf, room, versions } from "./room.js";

describe.each(versions())("room version %s", (version) => {
  const { event, redeemed, thirdPartyInvite, state, version: rules } = room(version);
  const rule = version === "12" ? "3" : "2";
  const proven = redeemed();
  const named = (one: EventLike, rejected = false): NamedAuthEvent => ({ event: one, rejected });

  /** What an honest server names: what is selected and is there. */
  const honest = selectAuthEvents(proven, rules)
    .map(({ type, stateKey }) => state.get(type, stateKey))
    .filter((one) => one !== undefined)
    .map((one) => named(one));

  const expectRefusal = (given: readonly NamedAuthEvent[], code: string, number: string): void => {
    expect(leftOf(checkAuthEvents(proven, given, rules))).toMatchObject({
      code,
      rule: `${rule}.${number}`,
      errcode: "M_FORBIDDEN",
      status: 403,
    });
  };

  test("what is selected, in any order, and not all of it need be named", () => {
    expect(codeOf(checkAuthEvents(proven, honest, rules))).toBeUndefined();
    expect(codeOf(checkAuthEvents(proven, [...honest].reverse(), rules))).toBeUndefined();
    const bare = honest.filter((one) => one.event.type === "m.room.create");
    expect(codeOf(checkAuthEvents(proven, bare, rules))).toBeUndefined();
  });

  test("one place twice", () => {
    expectRefusal([...honest, ...honest.slice(-1)], "AuthEventTwice", "1");
  });

  test.each([
    ["another's member event", event("m.room.member", carol, carol, { membership: "join" })],
    ["another invite", thirdPartyInvite(alice)],
    ["the name of the room", event("m.room.name", alice, "", {})],
    ["no state event", event("m.room.power_levels", alice, undefined, {})],
    ["no event at all", {}],
    ["a type that is no text", { type: 1n, state_key: "" }],
    ["a state key that is no text", { type: "m.room.power_levels", state_key: 1n }],
  ])("%s", (_name, one) => {
    expectRefusal([...honest, named(one)], "AuthEventUnexpected", "2");
  });

  test("what is no event has no say, and names none", () => {
    for (const none of [null, "x", []]) {
      expectRefusal([...honest, named(none as EventLike)], "AuthEventUnexpected", "2");
      expect(leftOf(checkAuthEvents(none as EventLike, honest, rules))).toMatchObject({
        code: "AuthEventUnexpected",
        rule: `${rule}.2`,
      });
    }
  });

  test("one that was itself rejected", () => {
    expectRefusal(
      honest.map((one, i) => ({ ...one, rejected: i === honest.length - 1 })),
      "AuthEventRejected",
      "3",
    );
  });

  test("the create event must be there before version 12, and must not from then on", () => {
    const create = state.get("m.room.create", "");
    const without = honest.filter((one) => one.event !== create);
    if (version !== "12") expectRefusal(without, "NoCreateEvent", "4");
    else {
      expect(codeOf(checkAuthEvents(proven, without, rules))).toBeUndefined();
      expectRefusal(create === undefined ? [] : [...without, named(create)], "AuthEventUnexpected", "2");
    }
  });

  test("one of another room", () => {
    const elsewhere = {
      ...event("m.room.member", bob, bob, { membership: "leave" }),
      room_id: "!other:one.example",
    };
    expectRefusal([...honest, named(elsewhere)], "WrongRoom", "5");
  });
});
