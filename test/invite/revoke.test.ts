import { describe, expect, test } from "vitest";
import { authorize } from "../../src/invite/authorize.js";
import { redeem } from "../../src/invite/redeem.js";
import { isAlive, revoke, revokeOwn } from "../../src/invite/revoke.js";
import { parseSigned } from "../../src/invite/signed.js";
import { portableCrypto } from "../../src/portable/crypto.js";
import {
  type RoomOptions,
  alice,
  bob,
  carol,
  codeOf,
  inviteContent,
  leftOf,
  rightOf,
  room,
  signed,
  token,
  versions,
} from "./room.js";

describe.each(versions())("room version %s", (version) => {
  test("the event is emptied, which the rules allow, and then nothing redeems it", () => {
    const made = room(version);
    const outcome = rightOf(revoke(made.state, { userId: alice }, token));
    expect(outcome).toEqual({
      _tag: "Revoke",
      events: [
        {
          type: "m.room.third_party_invite",
          room_id: made.roomId,
          sender: alice,
          state_key: token,
          content: {},
        },
      ],
    });
    if (outcome._tag !== "Revoke") return;
    for (const event of outcome.events)
      expect(authorize(event, made.state, portableCrypto)).toEqual({ _tag: "Allow" });
    const after = room(version, { more: outcome.events });
    expect(leftOf(redeem(after.state, rightOf(parseSigned(signed)), portableCrypto))).toMatchObject({
      code: "InviteRevoked",
      status: 403,
    });
    expect(authorize(made.redeemed(), after.state, portableCrypto)).toMatchObject({
      refusal: { code: "NotProven" },
    });
    expect(rightOf(revoke(after.state, { userId: alice }, token))).toEqual({ _tag: "AlreadyRevoked" });
  });

  test("anybody who may invite may", () => {
    const made = room(version, { inviteSender: carol });
    expect(rightOf(revoke(made.state, { userId: alice }, token))._tag).toBe("Revoke");
  });

  test.each<[string, RoomOptions, string, string | undefined]>([
    ["without the power, though it is their own", { inviteSender: carol }, carol, "PowerTooLow"],
    ["not in the room", {}, bob, "SenderNotJoined"],
  ])("%s", (_name, options, user, code) => {
    const { state } = room(version, options);
    expect(codeOf(revoke(state, { userId: user === carol ? carol : bob }, token))).toBe(code);
  });
});

test.each([{}, { display_name: "b...@t..." }])("%j, emptied or redacted, is revoked already", (invite) => {
  expect(rightOf(revoke(room("10", { invite }).state, { userId: alice }, token))._tag).toBe("AlreadyRevoked");
});

test.each(["unknown", "", "__proto__"])("a token that the room does not have: %j", (name) => {
  expect(leftOf(revoke(room("10", { invite: inviteContent }).state, { userId: alice }, name))).toMatchObject({
    code: "TokenUnknown",
    errcode: "M_NOT_FOUND",
    status: 404,
  });
});

test("guests and suspended users may not", () => {
  const { state } = room();
  expect(codeOf(revoke(state, { userId: alice, isGuest: true }, token))).toBe("GuestForbidden");
  expect(codeOf(revoke(state, { userId: alice, isSuspended: true }, token))).toBe("RequesterSuspended");
});

describe("the requester's own tokens", () => {
  const made = room("10", {
    more: [
      room().minted(alice, inviteContent, "mine"),
      room().minted(alice, {}, "empty"),
      room().minted(alice, { display_name: "b..." }, "redacted"),
      room().minted(carol, inviteContent, "hers"),
    ],
  });
  const tokens = ["hers", "absent", "empty", "redacted", "mine", token];

  test("those that stand are emptied, in their order; what somebody took over is not ours to touch", () => {
    const outcome = rightOf(revokeOwn(made.state, { userId: alice }, tokens));
    expect(outcome).toMatchObject({
      _tag: "Revoke",
      events: [
        { state_key: "mine", sender: alice, content: {} },
        { state_key: token, sender: alice, content: {} },
      ],
    });
  });

  test.each([[[]], [["absent", "empty", "redacted", "hers"]]])("%j: none stands", (none) => {
    expect(rightOf(revokeOwn(made.state, { userId: alice }, none))).toEqual({ _tag: "AlreadyRevoked" });
  });

  test("not without the power, not from outside, not as a guest; also where nothing stands", () => {
    for (const these of [tokens, []]) {
      expect(codeOf(revokeOwn(made.state, { userId: carol }, these))).toBe("PowerTooLow");
      expect(codeOf(revokeOwn(made.state, { userId: bob }, these))).toBe("SenderNotJoined");
      expect(codeOf(revokeOwn(made.state, { userId: alice, isGuest: true }, these))).toBe("GuestForbidden");
      expect(codeOf(revokeOwn(made.state, { userId: alice, isSuspended: true }, these))).toBe(
        "RequesterSuspended",
      );
    }
  });

  test("whether a token stands", () => {
    expect(tokens.filter((one) => isAlive(made.state, one))).toEqual(["hers", "mine", token]);
  });
});
