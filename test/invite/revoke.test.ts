import { describe, expect, test } from "vitest";
import { authorize } from "../../src/invite/authorize.js";
import { redeem } from "../../src/invite/redeem.js";
import { revoke } from "../../src/invite/revoke.js";
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
  test("REV-2, AMB-20: the event is emptied, which the rules allow, and then nothing redeems it", () => {
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
    expect(authorize(outcome.events[0], made.state, portableCrypto)).toEqual({ _tag: "Allow" });
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

  test("REV-2, AUTH-N8: anybody who may invite may", () => {
    const made = room(version, { inviteSender: carol });
    expect(rightOf(revoke(made.state, { userId: alice }, token))._tag).toBe("Revoke");
  });

  test.each<[string, RoomOptions, string, string | undefined]>([
    ["without the power, though it is their own", { inviteSender: carol }, carol, "PowerTooLow"],
    ["not in the room", {}, bob, "SenderNotJoined"],
  ])("PERM-1: %s", (_name, options, user, code) => {
    const { state } = room(version, options);
    expect(codeOf(revoke(state, { userId: user === carol ? carol : bob }, token))).toBe(code);
  });
});

test.each([{}, { display_name: "b...@t..." }])(
  "REV-3: %j, emptied or redacted, is revoked already",
  (invite) => {
    expect(rightOf(revoke(room("10", { invite }).state, { userId: alice }, token))._tag).toBe(
      "AlreadyRevoked",
    );
  },
);

test.each(["unknown", "", "__proto__"])("a token that the room does not have: %j", (name) => {
  expect(leftOf(revoke(room("10", { invite: inviteContent }).state, { userId: alice }, name))).toMatchObject({
    code: "TokenUnknown",
    errcode: "M_NOT_FOUND",
    status: 404,
  });
});

test("CLI-E11, CLI-E12: guests and suspended users may not", () => {
  const { state } = room();
  expect(codeOf(revoke(state, { userId: alice, isGuest: true }, token))).toBe("GuestForbidden");
  expect(codeOf(revoke(state, { userId: alice, isSuspended: true }, token))).toBe("RequesterSuspended");
});
