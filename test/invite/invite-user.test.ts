import { describe, expect, test } from "vitest";
import { authorize } from "../../src/invite/authorize.js";
import { type InviteUserCommand, inviteUser } from "../../src/invite/invite-user.js";
import { portableCrypto } from "../../src/portable/crypto.js";
import {
  type RoomOptions,
  alice,
  bob,
  carol,
  codeOf,
  decideOn,
  leftOf,
  numbers,
  rightOf,
  room,
  userId,
  versions,
} from "./room.js";

const invite: InviteUserCommand = { requester: { userId: alice }, userId: bob };

describe.each(versions())("room version %s", (version) => {
  const rule = numbers[version]?.plain ?? "";

  test("a plain member invite that the rules allow", () => {
    const made = room(version);
    const outcome = rightOf(decideOn(inviteUser, made.state, invite));
    expect(outcome).toEqual({
      _tag: "Invite",
      events: [
        {
          type: "m.room.member",
          room_id: made.roomId,
          sender: alice,
          state_key: bob,
          content: { membership: "invite" },
        },
      ],
    });
    if (outcome._tag === "Invite")
      expect(authorize(outcome.events[0], made.state, portableCrypto)).toEqual({ _tag: "Allow" });
  });

  test("not without the power", () => {
    const { state } = room(version, { invite: null });
    expect(leftOf(decideOn(inviteUser, state, { ...invite, requester: { userId: carol } }))).toMatchObject({
      code: "PowerTooLow",
      status: 403,
    });
  });

  test("the requester before the target", () => {
    const { state } = room(version, { members: { [bob]: "ban", [alice]: "leave" } });
    expect(codeOf(decideOn(inviteUser, state, invite))).toBe("SenderNotJoined");
  });

  test.each([
    ["join", "TargetJoined"],
    ["ban", "TargetBanned"],
  ])("target %s", (membership, code) => {
    const { state } = room(version, { members: { [bob]: membership } });
    expect(leftOf(decideOn(inviteUser, state, invite))).toMatchObject({
      code,
      rule: `${rule}.3`,
      errcode: "M_FORBIDDEN",
      status: 403,
    });
  });
});

describe("membership transitions", () => {
  test.each([
    ["leave", "Invite"],
    ["knock", "Invite"],
    ["invite", "AlreadyInvited"],
  ])("%s → %s", (membership, tag) => {
    const { state } = room("10", { members: { [bob]: membership } });
    expect(rightOf(decideOn(inviteUser, state, invite))._tag).toBe(tag);
  });

  test("who is invited already is named, and there is nothing to append", () => {
    const { state } = room("10", { members: { [bob]: "invite" } });
    expect(rightOf(decideOn(inviteUser, state, invite))).toEqual({
      _tag: "AlreadyInvited",
      userId: bob,
      events: [],
    });
  });

  test("one cannot invite oneself", () => {
    expect(codeOf(decideOn(inviteUser, room().state, { ...invite, userId: alice }))).toBe("TargetJoined");
  });
});

describe("the plain invite", () => {
  const content = (more: Partial<InviteUserCommand>): unknown => {
    const outcome = rightOf(decideOn(inviteUser, room().state, { ...invite, ...more }));
    return outcome._tag === "Invite" ? outcome.events[0].content : outcome;
  };

  test("profile, is_direct and reason where they are known", () => {
    const profile = { displayname: "Bob", avatarUrl: "mxc://two.example/b" };
    expect(content({ profile, details: { isDirect: true, reason: "why not" } })).toEqual({
      membership: "invite",
      displayname: "Bob",
      avatar_url: "mxc://two.example/b",
      is_direct: true,
      reason: "why not",
    });
  });

  test("is_direct false, and what is not known, is left out", () => {
    expect(content({ details: { isDirect: false }, profile: {} })).toStrictEqual({ membership: "invite" });
  });

  test("never has third_party_invite", () => {
    expect(content({})).not.toHaveProperty("third_party_invite");
  });
});

describe("a target whose server the room does not federate with", () => {
  const options: RoomOptions = { create: { "m.federate": false } };

  test("is refused, though the rules would allow it", () => {
    expect(leftOf(decideOn(inviteUser, room("10", options).state, invite))).toMatchObject({
      code: "TargetNotFederated",
      status: 403,
    });
  });

  test("on the creator's server is fine", () => {
    const erin = userId("@erin:one.example");
    expect(
      rightOf(decideOn(inviteUser, room("10", options).state, { ...invite, userId: erin })),
    ).toMatchObject({ _tag: "Invite", events: [{ state_key: erin }] });
  });
});
