import { describe, expect, test } from "vitest";
import { type Requester, admit } from "../../src/invite/admit.js";
import {
  type RoomOptions,
  alice,
  bob,
  carol,
  codeOf,
  dave,
  leftOf,
  numbers,
  room,
  versions,
} from "./room.js";

interface Case {
  readonly name: string;
  readonly room?: RoomOptions;
  readonly requester?: Requester;
  readonly code: string | undefined;
}

const cases: readonly Case[] = [
  { name: "joined and with the power", code: undefined },
  { name: "not in the room", requester: { userId: bob }, code: "SenderNotJoined" },
  ...["leave", "ban", "invite", "knock"].map((membership) => ({
    name: membership,
    room: { members: { [alice]: membership } },
    code: "SenderNotJoined",
  })),
  { name: "below the invite level", requester: { userId: carol }, code: "PowerTooLow" },
  {
    name: "the level is 0 without power levels",
    room: { levels: null },
    requester: { userId: carol },
    code: undefined,
  },
  {
    name: "a negative power is below 0",
    room: { levels: { invite: 0, users_default: -1 } },
    requester: { userId: carol },
    code: "PowerTooLow",
  },
  {
    name: "m.federate false, of another server",
    room: { create: { "m.federate": false }, levels: null },
    requester: { userId: dave },
    code: "NotFederated",
  },
  {
    name: "of the creator's server",
    room: { create: { "m.federate": false }, levels: null },
    requester: { userId: carol },
    code: undefined,
  },
  {
    name: "the level for the event type is never reached",
    room: { levels: { events: { "m.room.third_party_invite": 1000 }, state_default: 1000 } },
    code: undefined,
  },
  {
    name: "nor does it help",
    room: { levels: { events: { "m.room.third_party_invite": 0 }, state_default: 0 } },
    requester: { userId: carol },
    code: "PowerTooLow",
  },
  {
    name: "a guest",
    requester: { userId: alice, isGuest: true },
    code: "GuestForbidden",
  },
  {
    name: "a suspended user",
    requester: { userId: alice, isSuspended: true },
    code: "RequesterSuspended",
  },
  {
    name: "the account before the room",
    requester: { userId: bob, isGuest: true, isSuspended: true },
    code: "GuestForbidden",
  },
  {
    name: "suspension before membership",
    requester: { userId: bob, isSuspended: true },
    code: "RequesterSuspended",
  },
  { name: "no create event", room: { noCreate: true }, code: "NoCreateEvent" },
];

describe.each(versions())("room version %s", (version) => {
  test.each(cases.map((row) => [row.name, row] as const))("%s", (_name, row) => {
    expect(codeOf(admit(room(version, row.room).state, row.requester ?? { userId: alice }))).toBe(row.code);
  });

  test("the rule that refuses has its number", () => {
    const rule = (options: RoomOptions, userId = carol): string | undefined =>
      leftOf(admit(room(version, options).state, { userId })).rule;
    const here = numbers[version];
    expect(rule({})).toBe(here?.thirdPartyInvite);
    expect(rule({}, bob)).toBe(here?.sender);
    expect(rule({ create: { "m.federate": false } }, dave)).toBe(here?.federate);
    expect(rule({ noCreate: true })).toBe(here?.create);
  });
});

test("what the client is told", () => {
  const { state } = room();
  expect(leftOf(admit(state, { userId: alice, isGuest: true }))).toMatchObject({
    errcode: "M_GUEST_ACCESS_FORBIDDEN",
    status: 403,
  });
  expect(leftOf(admit(state, { userId: alice, isSuspended: true }))).toMatchObject({
    errcode: "M_USER_SUSPENDED",
    status: 403,
  });
  expect(leftOf(admit(state, { userId: carol }))).toMatchObject({ errcode: "M_FORBIDDEN", status: 403 });
});
