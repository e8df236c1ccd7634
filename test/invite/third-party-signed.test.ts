import { describe, expect, test } from "vitest";
import type { Delivery } from "../../src/invite/onbind.js";
import { checkThirdPartySigned, parseThirdPartySigned } from "../../src/invite/third-party-signed.js";
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
  sign,
  strangeKey,
  token,
  versions,
} from "./room.js";

const { roomId } = room();
const join = { roomId, userId: bob };
const value = sign({ mxid: bob, token, sender: alice });
const strangers = sign({ mxid: bob, token, sender: alice }, strangeKey);
const parse = (change: object = {}) => parseThirdPartySigned({ ...value, ...change }, join);

describe("third_party_signed of a join", () => {
  test("all of it is signed, sender included", () => {
    expect(rightOf(parse())).toEqual({
      roomId,
      sender: alice,
      signed: { mxid: bob, token, json: value },
    });
  });

  test.each<[object, string]>([
    [{ mxid: undefined }, "NoMxidOrToken"],
    [{ token: 7 }, "NoMxidOrToken"],
    [{ signatures: null }, "NotProven"],
    [{ x: "x".repeat(70_000) }, "SignedTooLarge"],
    [{ sender: null }, "FieldMalformed"],
    [{ sender: "alice" }, "FieldMalformed"],
    [{ mxid: carol }, "MxidMismatch"],
  ])("%j → %s", (change, code) => {
    expect(codeOf(parse(change))).toBe(code);
  });

  test.each([undefined, null, 7, "x", []])("%j is no object", (odd) => {
    expect(codeOf(parseThirdPartySigned(odd, join))).toBe("NoSigned");
  });

  test("the field is named", () => {
    expect(leftOf(parse({ sender: null })).message).toMatch(/ third_party_signed\.sender$/);
  });
});

describe.each(versions())("room version %s: whether it is to be redeemed", (version) => {
  const check = (options: RoomOptions, delivery = rightOf(parse())) =>
    decideOn(checkThirdPartySigned, room(version, options).state, delivery);

  test.each<[string, RoomOptions, string]>([
    ["joined", { members: { [bob]: "join" } }, "AlreadyJoined"],
    ["invited", { members: { [bob]: "invite" } }, "AlreadyInvited"],
    [
      "joined, and the invite is another's",
      { members: { [bob]: "join" }, inviteSender: carol },
      "AlreadyJoined",
    ],
    ["neither", {}, "ToRedeem"],
    ["knocking", { members: { [bob]: "knock" } }, "ToRedeem"],
    ["banned: redeem refuses it", { members: { [bob]: "ban" } }, "ToRedeem"],
    ["neither, and the room does not have the token", { invite: null }, "ToRedeem"],
  ])("%s", (_name, options, tag) => {
    expect(rightOf(check(options))).toEqual({ _tag: tag, events: [] });
  });

  const invited = { members: { [bob]: "invite" } };
  const byToken = {
    ...invited,
    more: [
      room(version).event("m.room.member", alice, bob, {
        membership: "invite",
        third_party_invite: { display_name: "", signed: sign({ mxid: bob, token }) },
      }),
    ],
  };
  const forged = { ...rightOf(parse()), signed: { ...rightOf(parse()).signed, json: strangers } };

  test.each<[string, RoomOptions, Delivery, string | undefined]>([
    ["a good proof", invited, rightOf(parse()), undefined],
    ["a good proof, invited by this token", byToken, rightOf(parse()), undefined],
    ["nonsense", invited, forged, "NotProven"],
    ["nonsense, invited by this token", byToken, forged, "NotProven"],
    ["a token that the room does not have", { ...invited, invite: null }, rightOf(parse()), "TokenUnknown"],
    ["another's token", { ...invited, inviteSender: carol }, rightOf(parse()), "TokenSenderMismatch"],
    ["a revoked token", { ...invited, invite: {} }, rightOf(parse()), "InviteRevoked"],
    [
      "a token that was revoked since it invited them",
      { ...byToken, invite: {} },
      rightOf(parse()),
      undefined,
    ],
    ["no create event", { ...invited, noCreate: true }, rightOf(parse()), "NoCreateEvent"],
  ])("the proof of an invited user is checked first: %s", (_name, options, delivery, code) => {
    const checked = check(options, delivery);
    expect(codeOf(checked)).toBe(code);
    if (code === undefined) expect(rightOf(checked)._tag).toBe("AlreadyInvited");
  });

  test("not where somebody else than the proof's sender invited", () => {
    const refusal = leftOf(check({ inviteSender: carol }));
    expect(refusal).toMatchObject({ code: "TokenSenderMismatch", status: 403 });
    expect(refusal.rule).toBe(`${numbers[version]?.proven ?? ""}.6`);
  });
});
