import { describe, expect, test } from "vitest";
import { type OnBind, checkOnBind } from "../../src/invite/onbind.js";
import { alice, bob, carol, codeOf, leftOf, rightOf, room, sign, signed, token } from "./room.js";

const { roomId } = room();
const limits = { serverName: "two.example", maxEntries: 3 };
const entry = {
  medium: "email",
  address: "bob@two.example",
  mxid: bob,
  room_id: roomId,
  sender: alice,
  token,
  signed,
};
const body = { medium: "email", address: "bob@two.example", mxid: bob, invites: [entry] };

const check = (change: object = {}): OnBind => rightOf(checkOnBind({ ...body, ...change }, limits));
const refused = (change: object): string | undefined => {
  const { accepted, refused: entries } = check({ invites: [{ ...entry, ...change }] });
  expect(accepted.length + entries.length).toBe(1);
  return entries[0]?.refusal.code;
};

describe("the body", () => {
  test("honest", () => {
    expect(check()).toEqual({
      mxid: bob,
      accepted: [{ index: 0, roomId, sender: alice, signed: { mxid: bob, token, json: signed } }],
      refused: [],
    });
  });

  test.each([undefined, null, []])("invites %j: nothing to do", (invites) => {
    expect(check({ invites })).toEqual({ mxid: bob, accepted: [], refused: [] });
  });

  test("invites left out, as real identity servers do", () => {
    expect(rightOf(checkOnBind({ mxid: bob }, limits)).accepted).toEqual([]);
  });

  test("medium, address and more are not looked at", () => {
    expect(check({ medium: 7, address: null, ts: 1, signatures: {} })).toEqual(check());
  });

  test.each([
    [undefined, "BodyNotObject"],
    [null, "BodyNotObject"],
    [[], "BodyNotObject"],
    ["x", "BodyNotObject"],
    [{}, "FieldMissing"],
    [{ mxid: 7 }, "FieldMalformed"],
    [{ mxid: "bob" }, "FieldMalformed"],
    [{ mxid: bob, invites: {} }, "FieldMalformed"],
    [{ mxid: bob, invites: "x" }, "FieldMalformed"],
  ])("%j is refused as a whole", (value, code) => {
    expect(leftOf(checkOnBind(value, limits))).toMatchObject({ code, status: 400 });
  });

  test.each([
    [{}, "mxid"],
    [{ mxid: 7 }, "mxid"],
    [{ mxid: bob, invites: {} }, "invites"],
  ])("%j is refused by the name of the field", (value, field) => {
    expect(leftOf(checkOnBind(value, limits)).message.split(" ").at(-1)).toBe(field);
  });

  test("more entries than are taken at once", () => {
    expect(leftOf(checkOnBind({ ...body, invites: [1, 2, 3, 4] }, limits))).toMatchObject({
      code: "TooManyEntries",
      errcode: "M_TOO_LARGE",
      status: 413,
    });
    expect(check({ invites: [1, 2, 3] }).refused).toHaveLength(3);
  });
});

describe("an entry", () => {
  test.each([null, 7, "x", []])("%j is no entry", (value) => {
    expect(check({ invites: [value] }).refused.map(({ refusal }) => refusal.code)).toEqual([
      "FieldMalformed",
    ]);
  });

  test.each([
    [{ room_id: undefined }, "FieldMalformed"],
    [{ room_id: "#alias:one.example" }, "FieldMalformed"],
    [{ room_id: 7 }, "FieldMalformed"],
    [{ sender: undefined }, "FieldMalformed"],
    [{ sender: "alice" }, "FieldMalformed"],
    [{ signed: undefined }, "NoSigned"],
    [{ signed: [] }, "NoSigned"],
    [{ signed: {} }, "NoMxidOrToken"],
    [{ signed: { ...signed, signatures: [] } }, "NotProven"],
    [{ token: "other" }, "FieldMalformed"],
    [{ token: null }, "FieldMalformed"],
  ])("%j → %s", (change, code) => {
    expect(refused(change)).toBe(code);
  });

  test.each<[unknown, string]>([
    [null, "invites[]"],
    [{ ...entry, room_id: 7 }, "invites[].room_id"],
    [{ ...entry, sender: 7 }, "invites[].sender"],
    [{ ...entry, token: 7 }, "invites[].token"],
  ])("is refused by the name of the field, %#", (value, field) => {
    const [first] = check({ invites: [value] }).refused;
    expect(first?.refusal.message.split(" ").at(-1)).toBe(field);
  });

  test("the token beside signed may be missing, as in the specification", () => {
    const { token: _, ...bare } = entry;
    expect(check({ invites: [bare] }).accepted).toHaveLength(1);
  });

  test("a room ID without a server name", () => {
    const room_id = room("12").roomId;
    expect(check({ invites: [{ ...entry, room_id }] }).accepted[0]?.roomId).toBe(room_id);
  });

  test("medium and address of an entry are not looked at", () => {
    expect(refused({ medium: "msisdn", address: 7 })).toBeUndefined();
  });
});

describe("nobody vouches for the request", () => {
  test("the user must be ours", () => {
    const other = {
      ...body,
      mxid: carol,
      invites: [{ ...entry, mxid: carol, signed: sign({ mxid: carol, token }) }],
    };
    const checked = rightOf(checkOnBind(other, limits));
    expect(checked.accepted).toEqual([]);
    expect(checked.refused.map(({ refusal }) => refusal.code)).toEqual(["UserNotLocal"]);
  });

  test.each([
    ["of the entry", { mxid: carol }],
    ["of the entry, missing", { mxid: undefined }],
    ["in signed", { signed: sign({ mxid: carol, token }) }],
  ])("another user %s", (_name, change) => {
    expect(refused(change)).toBe("MxidMismatch");
  });

  test("one bad entry never spoils the others, and each keeps its place", () => {
    const { accepted, refused: bad } = check({ invites: [{ ...entry, mxid: carol }, entry, null] });
    expect(accepted.map(({ index }) => index)).toEqual([1]);
    expect(bad.map(({ index, refusal }) => [index, refusal.code])).toEqual([
      [0, "MxidMismatch"],
      [2, "FieldMalformed"],
    ]);
  });

  test("the signature is not tried here: only the room has the keys", () => {
    expect(refused({ signed: { ...signed, signatures: {} } })).toBeUndefined();
  });
});

test("no inherited body", () => {
  expect(codeOf(checkOnBind(Object.create(body), limits))).toBe("FieldMissing");
});
