import type { Either } from "fp-ts/lib/Either.js";
import { describe, expect, test } from "vitest";
import { authorize } from "../../src/invite/authorize.js";
import { redeem } from "../../src/invite/redeem.js";
import type { InviteLife } from "../../src/invite/invite-life.js";
import {
  type RevokeInviteOutcome,
  type RevokeOutcome,
  revoke,
  revokeOwn,
  revokeRecord,
} from "../../src/invite/revoke.js";
import { isPending } from "../../src/invite/room-invite.js";
import { parseSigned } from "../../src/invite/signed.js";
import type { Requester } from "../../src/invite/admit.js";
import type { RoomState } from "../../src/matrix/room-state.js";
import { portableCrypto } from "../../src/portable/crypto.js";
import type { Refusal } from "../../src/refusal.js";
import { event, lives, recordOf, stateOf } from "./records.js";
import {
  type RoomOptions,
  alice,
  bob,
  carol,
  codeOf,
  decideOn,
  inviteContent,
  leftOf,
  rightOf,
  room,
  signed,
  token,
  versions,
} from "./room.js";

const revokeIn = (state: RoomState, requester: Requester, name: string): Either<Refusal, RevokeOutcome> =>
  decideOn(revoke, state, { requester, token: name });

describe.each(versions())("room version %s", (version) => {
  test("the event is emptied, which the rules allow, and then nothing redeems it", () => {
    const made = room(version);
    const outcome = rightOf(revokeIn(made.state, { userId: alice }, token));
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
    expect(leftOf(decideOn(redeem, after.state, { signed: rightOf(parseSigned(signed)) }))).toMatchObject({
      code: "InviteRevoked",
      status: 403,
    });
    expect(authorize(made.redeemed(), after.state, portableCrypto)).toMatchObject({
      refusal: { code: "NotProven" },
    });
    expect(rightOf(revokeIn(after.state, { userId: alice }, token))).toEqual({
      _tag: "AlreadyRevoked",
      events: [],
    });
  });

  test("anybody who may invite may", () => {
    const made = room(version, { inviteSender: carol });
    expect(rightOf(revokeIn(made.state, { userId: alice }, token))._tag).toBe("Revoke");
  });

  test.each<[string, RoomOptions, string, string | undefined]>([
    ["without the power, though it is their own", { inviteSender: carol }, carol, "PowerTooLow"],
    ["not in the room", {}, bob, "SenderNotJoined"],
  ])("%s", (_name, options, user, code) => {
    const { state } = room(version, options);
    expect(codeOf(revokeIn(state, { userId: user === carol ? carol : bob }, token))).toBe(code);
  });
});

test.each([{}, { display_name: "b...@t..." }])("%j, emptied or redacted, is revoked already", (invite) => {
  expect(rightOf(revokeIn(room("10", { invite }).state, { userId: alice }, token))._tag).toBe(
    "AlreadyRevoked",
  );
});

test.each(["unknown", "", "__proto__"])("a token that the room does not have: %j", (name) => {
  expect(
    leftOf(revokeIn(room("10", { invite: inviteContent }).state, { userId: alice }, name)),
  ).toMatchObject({
    code: "TokenUnknown",
    errcode: "M_NOT_FOUND",
    status: 404,
  });
});

test("guests and suspended users may not", () => {
  const { state } = room();
  expect(codeOf(revokeIn(state, { userId: alice, isGuest: true }, token))).toBe("GuestForbidden");
  expect(codeOf(revokeIn(state, { userId: alice, isSuspended: true }, token))).toBe("RequesterSuspended");
});

describe("the requester's own tokens", () => {
  const made = room("10", {
    more: [
      room().thirdPartyInvite(alice, inviteContent, "mine"),
      room().thirdPartyInvite(alice, {}, "empty"),
      room().thirdPartyInvite(alice, { display_name: "b..." }, "redacted"),
      room().thirdPartyInvite(carol, inviteContent, "hers"),
    ],
  });
  const revokeOwnIn = (requester: Requester, these: readonly string[]) =>
    decideOn(revokeOwn, made.state, { requester, tokens: these });
  const tokens = ["hers", "absent", "empty", "redacted", "mine", token];

  test("those that are pending are emptied, in their order; what somebody took over is not ours to touch", () => {
    const outcome = rightOf(revokeOwnIn({ userId: alice }, tokens));
    expect(outcome).toMatchObject({
      _tag: "Revoke",
      events: [
        { state_key: "mine", sender: alice, content: {} },
        { state_key: token, sender: alice, content: {} },
      ],
    });
  });

  test.each([[[]], [["absent", "empty", "redacted", "hers"]]])("%j: none is pending", (none) => {
    expect(rightOf(revokeOwnIn({ userId: alice }, none))).toEqual({ _tag: "AlreadyRevoked", events: [] });
  });

  test("not without the power, not from outside, not as a guest; also where nothing is pending", () => {
    for (const these of [tokens, []]) {
      expect(codeOf(revokeOwnIn({ userId: carol }, these))).toBe("PowerTooLow");
      expect(codeOf(revokeOwnIn({ userId: bob }, these))).toBe("SenderNotJoined");
      expect(codeOf(revokeOwnIn({ userId: alice, isGuest: true }, these))).toBe("GuestForbidden");
      expect(codeOf(revokeOwnIn({ userId: alice, isSuspended: true }, these))).toBe("RequesterSuspended");
    }
  });

  test("whether a token is pending", () => {
    expect(tokens.filter((one) => isPending(made.state, one))).toEqual(["hers", "mine", token]);
  });
});

describe("an invite by its record", () => {
  const revokeIn = (
    life: InviteLife,
    state: RoomState,
    userId = alice,
  ): Either<Refusal, RevokeInviteOutcome> =>
    decideOn(revokeRecord, state, { requester: { userId }, record: recordOf(life) });
  const emptied = (...tokens: readonly string[]) => ({
    _tag: "Revoke",
    events: tokens.map((name) => ({ state_key: name, sender: alice, content: {} })),
  });

  test("all of its tokens are emptied, as far as their events are pending and the requester's own", () => {
    const both = stateOf([event("t1"), event("t2")]);
    expect(rightOf(revokeIn(lives["Pending over t1"], both))).toMatchObject(emptied("t2", "t1"));
    expect(rightOf(revokeIn(lives["Asked, it was Pending over t1"], both))).toMatchObject(
      emptied("t2", "t1"),
    );
    expect(rightOf(revokeIn(lives.Pending, both))).toMatchObject(emptied("t1"));
    const taken = stateOf([event("t1"), event("t2", carol)]);
    expect(rightOf(revokeIn(lives["Pending over t1"], taken))).toMatchObject(emptied("t1"));
  });

  test.each([lives.Intended, lives.Pending, lives.Revoked])("$_tag, and nothing is pending", (life) => {
    expect(rightOf(revokeIn(life, stateOf([event("t1", alice, {})])))).toEqual({
      _tag: "AlreadyRevoked",
      events: [],
    });
  });

  test.each([lives.Redeemed, lives["Asked, it was Redeemed"]])(
    "$_tag: while its user is invited nothing is emptied",
    (life) => {
      expect(rightOf(revokeIn(life, stateOf([event("t1")], "invite")))).toEqual({
        _tag: "AlreadyRedeemed",
        by: bob,
        events: [],
      });
    },
  );

  test.each(["join", "leave", "ban", "knock"])(
    "redeemed, and its user is %s: its token is emptied",
    (membership) => {
      expect(rightOf(revokeIn(lives.Redeemed, stateOf([event("t1")], membership)))).toMatchObject(
        emptied("t1"),
      );
    },
  );

  test("not without the power", () => {
    expect(codeOf(revokeIn(lives.Pending, stateOf([event("t1")]), carol))).toBe("PowerTooLow");
  });

  test("what is read: who may invite, its tokens, and who redeemed it", () => {
    const readFor = (life: InviteLife) =>
      revokeRecord
        .reads({ requester: { userId: alice }, record: recordOf(life) })
        .map(({ type, stateKey }) => `${type} ${stateKey}`);
    const power = ["m.room.create ", "m.room.power_levels ", `m.room.member ${alice}`];
    expect(readFor(lives["Pending over t1"])).toEqual([
      ...power,
      "m.room.third_party_invite t2",
      "m.room.third_party_invite t1",
    ]);
    expect(readFor(lives.Redeemed)).toEqual([
      ...power,
      "m.room.third_party_invite t1",
      `m.room.member ${bob}`,
    ]);
  });
});
