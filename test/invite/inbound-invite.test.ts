import { describe, expect, test } from "vitest";
import { checkInboundInvite } from "../../src/invite/inbound-invite.js";
import { parseRoomId } from "../../src/matrix/ids.js";
import { roomIdOfCreate } from "../../src/matrix/pdu.js";
import { portableCrypto } from "../../src/portable/crypto.js";
import {
  alice,
  bob,
  carol,
  codeOf,
  leftOf,
  rightOf,
  room,
  sign,
  signed,
  token,
  versionOf,
  versions,
} from "./room.js";

/** As clients see it, and as Synapse sends it. */
const name = { type: "m.room.name", state_key: "", sender: alice, content: { name: "x" } };

const malformed = { code: "InviteStateMalformed", errcode: "M_INVALID_PARAM", status: 400 };

const made = (
  version: string,
): { body: Record<string, unknown>; request: Parameters<typeof checkInboundInvite>[1] } => {
  const { roomId, redeemed, state } = room(version);
  return {
    body: {
      room_version: version,
      event: redeemed(),
      invite_room_state: [name, state.get("m.room.create", "")],
    },
    request: { roomId, origin: "one.example", serverName: "two.example" },
  };
};

describe.each(versions())("room version %s", (version) => {
  const { body, request } = made(version);
  const event = room(version).redeemed() as Record<string, unknown>;
  const check = (change: object, to: object = {}): ReturnType<typeof checkInboundInvite> =>
    checkInboundInvite({ ...body, ...change }, { ...request, ...to }, portableCrypto);
  const withEvent = (change: object): ReturnType<typeof checkInboundInvite> =>
    check({ event: { ...event, ...change } });
  const create = room(version).state.get("m.room.create", "") as unknown as Record<string, unknown>;
  const stripped = {
    type: "m.room.create",
    state_key: "",
    sender: create["sender"],
    content: create["content"],
  };
  const accepted = { roomId: request.roomId, sender: alice, target: bob, strippedState: [name, stripped] };

  test("a proven invite", () => {
    expect(rightOf(check({}))).toEqual({ ...accepted, token });
  });

  test("a plain invite", () => {
    expect(rightOf(withEvent({ content: { membership: "invite" } }))).toEqual({
      ...accepted,
      token: undefined,
    });
  });

  test.each<[string, object, string]>([
    ["type", { type: "m.room.third_party_invite" }, "FieldMalformed"],
    ["membership", { content: { membership: "join" } }, "FieldMalformed"],
    ["no content", { content: undefined }, "FieldMalformed"],
    ["another room", { room_id: "!other:one.example" }, "FieldMalformed"],
    ["sender no user ID", { sender: "alice" }, "FieldMalformed"],
    ["state_key no user ID", { state_key: "" }, "FieldMalformed"],
    ["no state_key", { state_key: undefined }, "FieldMalformed"],
    ["sender of another server than the origin", { sender: "@x:three.example" }, "OriginMismatch"],
    ["target not ours", { state_key: carol }, "UserNotLocal"],
  ])("%s → M_INVALID_PARAM", (_name, change, code) => {
    expect(leftOf(withEvent(change))).toMatchObject({ code, errcode: "M_INVALID_PARAM", status: 400 });
  });

  test.each<[string, object]>([
    ["type", { type: undefined }],
    ["content.membership", { content: {} }],
    ["room_id", { room_id: undefined }],
    ["sender", { sender: undefined }],
    ["state_key", { state_key: undefined }],
  ])("a malformed %s is refused by its name", (field, change) => {
    expect(leftOf(withEvent(change)).message.split(" ").at(-1)).toBe(`event.${field}`);
  });

  test("the origin is who asked", () => {
    expect(codeOf(check({}, { origin: "three.example" }))).toBe("OriginMismatch");
  });

  test.each([
    [null, "NoSigned"],
    [{}, "NoSigned"],
    [{ signed: {} }, "NoMxidOrToken"],
    [{ signed: { ...signed, signatures: 7 } }, "NotProven"],
    [{ signed: sign({ mxid: carol, token }) }, "MxidMismatch"],
  ])("a proof that cannot be one, %j", (third_party_invite, code) => {
    expect(leftOf(withEvent({ content: { membership: "invite", third_party_invite } }))).toMatchObject({
      code,
      errcode: "M_FORBIDDEN",
      status: 403,
    });
  });

  const createOf = (change: object): unknown => ({ ...create, ...change });

  test.each<[string, unknown]>([
    ["missing", undefined],
    ["null", null],
    ["empty", []],
    ["without a create event", [name]],
    ["with a changed create event", [createOf({ sender: "@mallory:three.example" })]],
    ["with an unsigned create event", [createOf({ signatures: {} })]],
    [
      "with a create event that another server signed",
      [createOf({ signatures: { "three.example": { "ed25519:1": "AAAA" } } })],
    ],
    ["with a create event stripped of what makes its ID", [{ ...name, type: "m.room.create", content: {} }]],
    ["with a create event in another place", [createOf({ state_key: "x" })]],
    ["with an event that is neither whole nor stripped", [createOf({}), { ...name, depth: 1 }]],
  ])("invite_room_state %s is refused from version 12 on only", (_name, invite_room_state) => {
    const checked = check({ invite_room_state });
    if (version !== "12") expect(codeOf(checked)).toBeUndefined();
    else expect(leftOf(checked)).toMatchObject(malformed);
  });

  test.each<[string, unknown, readonly unknown[]]>([
    ["that is no list", {}, []],
    ["that is a text", "x", []],
    ["with a number", [createOf({}), 5], [stripped]],
    ["with null", [createOf({}), null], [stripped]],
    ["with a list", [createOf({}), []], [stripped]],
    ["with an event without state_key", [createOf({}), { ...name, state_key: undefined }], [stripped]],
    ["with an event without content", [createOf({}), { ...name, content: null }], [stripped]],
    ["with a sender that is no user", [createOf({}), { ...name, sender: "alice" }], [stripped]],
    ["with an event of another room", [createOf({}), { ...name, room_id: "!other:one.example" }], [stripped]],
    ["with two create events", [createOf({}), createOf({})], [stripped]],
  ])("invite_room_state %s is refused from version 12 on, and pruned before", (_name, list, shown) => {
    const checked = check({ invite_room_state: list });
    if (version === "12") expect(leftOf(checked)).toMatchObject(malformed);
    else expect(rightOf(checked).strippedState).toEqual(shown);
  });

  test("the create event may stand anywhere, with a local unsigned beside", () => {
    expect(
      codeOf(check({ invite_room_state: [name, createOf({ unsigned: { age_ts: 1 } })] })),
    ).toBeUndefined();
  });

  test("stripped events beside the create event are refused from version 12 on where that is asked for", () => {
    expect(codeOf(check({}, { strict: true }))).toBe(version === "12" ? "InviteStateMalformed" : undefined);
    expect(codeOf(check({ invite_room_state: [createOf({})] }, { strict: true }))).toBeUndefined();
  });

  test("the body of version 1 of the request is that of an invite into a room of version 1 or 2", () => {
    const old = { ...event, unsigned: { invite_room_state: [name] } };
    const asked = (change: object = {}) => checkInboundInvite({ ...old, ...change }, request, portableCrypto);
    expect(rightOf(asked())).toEqual({ ...accepted, strippedState: [name], token });
    expect(rightOf(asked({ unsigned: undefined }))).toEqual({ ...accepted, strippedState: [], token });
    expect(codeOf(asked({ type: "m.room.message" }))).toBe("FieldMalformed");
    expect(codeOf(asked({ sender: "@x:three.example" }))).toBe("OriginMismatch");
  });

  test.each([undefined, null, 7, "", "0", "13", "__proto__"])("room_version %j", (room_version) => {
    expect(leftOf(check({ room_version }))).toMatchObject({
      code: "RoomVersionUnknown",
      errcode: "M_INCOMPATIBLE_ROOM_VERSION",
      status: 400,
    });
  });
});

// A room ID of version 12 is a hash that whoever sends the invite may choose.
test.each([
  ["type", { type: "m.room.name" }],
  ["state key", { state_key: "x" }],
])("an event of another %s makes no room, though the room ID names it", (_name, change) => {
  const { body, request } = made("12");
  const first = { ...room("12").state.get("m.room.create", ""), ...change };
  const roomId = rightOf(parseRoomId(rightOf(roomIdOfCreate(portableCrypto, first, versionOf("12")))));
  const event = { ...(body["event"] as object), room_id: roomId };
  const invite = { ...body, event, invite_room_state: [first] };
  expect(codeOf(checkInboundInvite(invite, { ...request, roomId }, portableCrypto))).toBe(
    "InviteStateMalformed",
  );
});

test.each([undefined, null, 7, "x", [], {}, { event: null }, { event: [] }])("%j is no body", (body) => {
  expect(leftOf(checkInboundInvite(body, made("10").request, portableCrypto))).toMatchObject({
    code: "FieldMalformed",
    message: expect.stringMatching(/ event$/) as string,
    status: 400,
  });
});
