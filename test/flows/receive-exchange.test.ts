import type { JsonObject } from "matrix-third-party-invites/ports";
import { describe, expect, it } from "vitest";
import { type World, openWorld, pend } from "./ports.js";
import {
  alice,
  bob,
  carol,
  codeOf,
  ephemeral,
  must,
  pendingContent,
  problemOf,
  room,
  signedBy,
  stranger,
  urlFor,
  validityUrl,
  longTerm,
} from "./samples.js";

const content = (signed: JsonObject): JsonObject => ({
  membership: "invite",
  third_party_invite: { signed },
});

const bodyOf = (more: JsonObject = {}, signed = signedBy(bob, "t1")): JsonObject => ({
  type: "m.room.member",
  room_id: room,
  sender: alice,
  state_key: bob,
  content: content(signed),
  ...more,
});

const ask = (world: World, body: unknown = bodyOf(), origin = "b.example", roomId: string = room) =>
  world.invites.receiveExchange({ roomId, origin, body });

const openPending = (): World => {
  const world = openWorld();
  pend(world, "t1");
  return world;
};

describe("an exchange that is in order", () => {
  it("makes the member event before it answers, rebuilt from checked fields", async () => {
    const world = openPending();
    const signed = signedBy(bob, "t1", ephemeral, { "org.example.more": 1 });
    const body = bodyOf({
      auth_events: ["$evil"],
      origin_server_ts: 1,
      content: {
        membership: "invite",
        displayname: "Evil",
        third_party_invite: { display_name: "Evil", signed, more: 1 },
      },
    });
    const outcome = must(await ask(world, body));
    expect(outcome._tag).toBe("Redeem");
    expect(world.appended).toEqual([
      {
        type: "m.room.member",
        room_id: room,
        sender: alice,
        state_key: bob,
        content: {
          membership: "invite",
          third_party_invite: { display_name: pendingContent()["display_name"], signed },
        },
      },
    ]);
    expect(world.observed).toEqual([{ _tag: "Redeemed", roomId: room, target: bob }]);
  });

  it("is made though the inviter has left (field case 19)", async () => {
    const world = openPending();
    world.join(alice, "leave");
    expect(must(await ask(world))._tag).toBe("Redeem");
  });

  it.each([
    [
      "joined already (field case 3)",
      "AlreadyJoined",
      (w: World) => {
        w.join(bob);
      },
    ],
    [
      "invited by this very token",
      "AlreadyInvited",
      (w: World) => {
        w.put({ type: "m.room.member", key: bob, content: content(signedBy(bob, "t1")) });
      },
    ],
  ])("of one who is %s → right and no event", async (_, tag, prepare) => {
    const world = openPending();
    prepare(world);
    expect(must(await ask(world))._tag).toBe(tag);
    expect(world.appended).toEqual([]);
    expect(world.count("identityServer.keyValidity")).toBe(0);
  });

  it("of one who is invited otherwise makes the event", async () => {
    const world = openPending();
    world.join(bob, "invite");
    expect(must(await ask(world))._tag).toBe("Redeem");
  });
});

describe("an exchange that is not (field cases 6 and 7)", () => {
  const other = signedBy(carol, "t1");
  const table: readonly (readonly [string, unknown, number, string])[] = [
    ["no body", null, 400, "BodyNotObject"],
    ["a list", [], 400, "BodyNotObject"],
    ["another type", bodyOf({ type: "m.room.message" }), 400, "FieldMalformed"],
    ["another room", bodyOf({ room_id: "!other" }), 400, "FieldMalformed"],
    [
      "another membership",
      bodyOf({ content: { ...content(signedBy(bob, "t1")), membership: "join" } }),
      400,
      "FieldMalformed",
    ],
    ["no content", bodyOf({ content: undefined }), 400, "FieldMalformed"],
    ["a sender that is no user", bodyOf({ sender: "alice" }), 400, "FieldMalformed"],
    ["another state_key", bodyOf({ state_key: carol }), 403, "MxidMismatch"],
    ["no state_key", bodyOf({ state_key: undefined }), 403, "MxidMismatch"],
    ["no proof", bodyOf({ content: { membership: "invite" } }), 403, "NoSigned"],
    ["a user of a third server", bodyOf({ state_key: carol }, other), 403, "OriginMismatch"],
    ["another sender than the room's", bodyOf({ sender: "@anna:a.example" }), 403, "TokenSenderMismatch"],
    ["an unknown token", bodyOf({}, signedBy(bob, "t2")), 403, "TokenUnknown"],
    ["a forged proof", bodyOf({}, signedBy(bob, "t1", stranger)), 403, "NotProven"],
    ["a proof with a member changed", bodyOf({}, { ...signedBy(bob, "t1"), more: 1 }), 403, "NotProven"],
    [
      "a malformed signature",
      bodyOf({}, { mxid: bob, token: "t1", signatures: { "id.example": { "ed25519:0": "!" } } }),
      403,
      "NotProven",
    ],
  ];

  it.each(table)("%s", async (_, body, status, code) => {
    const world = openPending();
    expect(problemOf(await ask(world, body))).toMatchObject({ _tag: "Refusal", status, code });
    expect(world.appended).toEqual([]);
    expect(world.count("identityServer.keyValidity")).toBe(0);
  });

  it.each([
    [
      "the inviter is not ours",
      "SenderNotLocal",
      (w: World) => {
        pend(w, "t1", { sender: carol });
      },
    ],
    [
      "revoked",
      "InviteRevoked",
      (w: World) => {
        pend(w, "t1", { content: {} });
      },
    ],
    [
      "redacted but for a name",
      "InviteRevoked",
      (w: World) => {
        pend(w, "t1", { content: { display_name: "z" } });
      },
    ],
    [
      "banned",
      "TargetBanned",
      (w: World) => {
        w.join(bob, "ban");
      },
    ],
    [
      "kept out of the room",
      "TargetNotFederated",
      (w: World) => {
        w.put({ type: "m.room.create", content: { room_version: "11", "m.federate": false } });
      },
    ],
  ])("%s → 403 and no event", async (_, code, prepare) => {
    const world = openPending();
    prepare(world);
    expect(problemOf(await ask(world))).toMatchObject({ code, status: 403, errcode: "M_FORBIDDEN" });
    expect(world.appended).toEqual([]);
  });

  it("of a room that we are not in → 404", async () => {
    const world = openWorld({ resident: false });
    expect(problemOf(await ask(world))).toMatchObject({
      code: "NotInRoom",
      status: 404,
      errcode: "M_NOT_FOUND",
    });
  });

  it("of a room whose state is not complete → 503", async () => {
    const world = openPending();
    world.intercept = (call, perform) =>
      call.name === "rooms.snapshot" ? Promise.resolve({ _tag: "Incomplete" }) : perform();
    expect(problemOf(await ask(world))).toMatchObject({ code: "RoomIncomplete", status: 503 });
  });
});

describe("the validity of the key that signed", () => {
  const url = urlFor(validityUrl, longTerm.publicKey);

  it("is asked at the room's own URL, once across conflict rounds", async () => {
    const world = openPending();
    world.next.append.push({ _tag: "Conflict" }, { _tag: "Conflict" });
    expect(must(await ask(world))._tag).toBe("Redeem");
    expect(world.count("events.append")).toBe(3);
    const asked = world.calls.filter(({ name }) => name === "identityServer.keyValidity");
    expect(asked.map(({ args }) => args[0])).toEqual([url]);
  });

  it.each([
    ["false", { _tag: "Validity", valid: false }, "KeyRevoked", 403],
    ["unreachable", { _tag: "Unreachable", sent: true }, "KeyValidityUnknown", 424],
    ["malformed", { _tag: "Malformed" }, "KeyValidityUnknown", 424],
    ["rate limited", { _tag: "RateLimited" }, "KeyValidityUnknown", 424],
  ] as const)("%s → no event", async (_, answer, code, status) => {
    const world = openPending();
    world.validity.set(url, answer);
    expect(problemOf(await ask(world))).toMatchObject({ code, status });
    expect(world.appended).toEqual([]);
  });

  it.each([
    [429, "M_LIMIT_EXCEEDED", 424],
    [502, "M_UNKNOWN", 424],
    [403, "M_INVITE_BLOCKED", 403],
    [400, "M_INVALID_PARAM", 400],
  ])("an append that somebody refuses with %i %s is answered with %i", async (status, errcode, answered) => {
    const world = openPending();
    world.next.append.push({ _tag: "Refused", status, errcode });
    expect(problemOf(await ask(world))).toMatchObject({ code: "AppendRefused", status: answered, errcode });
  });

  it.each<readonly [string, (cause: Error) => Promise<unknown>]>([
    ["the port found nobody", (cause) => Promise.resolve({ _tag: "Unreachable", sent: false, cause })],
    ["the port broke", (cause) => Promise.reject(cause)],
  ])("why nobody knows is the failure's cause: %s", async (_, keyValidity) => {
    const world = openPending();
    const cause = new Error("no route");
    world.intercept = ({ name }, perform) =>
      name === "identityServer.keyValidity" ? keyValidity(cause) : perform();
    expect(problemOf(await ask(world))).toMatchObject({
      code: "KeyValidityUnknown",
      cause: { name: "Error", message: cause.message },
    });
  });
});

it("two of the same at the same time make one event", async () => {
  const world = openPending();
  const results = await Promise.all([ask(world), ask(world), ask(world)]);
  expect(results.map((result) => must(result)._tag).sort()).toEqual([
    "AlreadyInvited",
    "AlreadyInvited",
    "Redeem",
  ]);
  expect(world.appended).toHaveLength(1);
});

it("refuses more pairs of signature and key than the budget, and tries none", async () => {
  const world = openWorld({ config: { maxPairs: 1 } });
  pend(world, "t1");
  expect(codeOf(await ask(world))).toBe("TooManyPairs");
});
