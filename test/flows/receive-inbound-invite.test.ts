import { type JsonObject, receiveInboundInvite } from "matrix-third-party-invites";
import { describe, expect, it } from "vitest";
import { type World, openWorld } from "./ports.js";
import { alice, anna, bob, must, problemOf, room, signedBy } from "./samples.js";

/** Of this server. */
const zoe = anna;

const openHome = async (): Promise<World> => {
  const world = openWorld({ resident: false });
  world.users.set(zoe, {});
  const row = { roomId: room, mxid: zoe, sender: bob, owedAt: 0, dueAt: world.now, attempts: 0 };
  for (const token of ["t1", "t2"])
    await world.ports.redemptions.owe([{ ...row, token, signed: signedBy(zoe, token) }], {});
  world.calls.length = 0;
  return world;
};

const eventOf = (more: JsonObject = {}): JsonObject => ({
  type: "m.room.member",
  room_id: room,
  sender: bob,
  state_key: zoe,
  content: { membership: "invite", third_party_invite: { display_name: "z", signed: signedBy(zoe, "t1") } },
  ...more,
});

const bodyOf = (event: unknown = eventOf(), more: JsonObject = {}): JsonObject => ({
  room_version: "11",
  event,
  invite_room_state: [],
  ...more,
});

const ask = (world: World, body: unknown = bodyOf(), origin = "b.example") =>
  receiveInboundInvite(world.ports)({ roomId: room, origin, body });

const states = (world: World): readonly string[] => world.rows().map(({ state }) => state._tag);

it("an invite by a token settles what was owed for it, and nothing else", async () => {
  const world = await openHome();
  expect(must(await ask(world))).toEqual({ roomId: room, sender: bob, target: zoe, token: "t1" });
  expect(states(world)).toEqual(["Done", "Waiting"]);
});

it("an ordinary invite settles nothing", async () => {
  const world = await openHome();
  const body = bodyOf(eventOf({ content: { membership: "invite" } }));
  expect(must(await ask(world, body)).token).toBeUndefined();
  expect(states(world)).toEqual(["Waiting", "Waiting"]);
  expect(world.count("redemptions.settleInvited")).toBe(0);
});

it("is accepted though the queue is down: what is owed finds the invite made", async () => {
  const world = await openHome();
  world.intercept = (call, perform) =>
    call.name === "redemptions.settleInvited" ? Promise.reject(new Error("down")) : perform();
  expect(must(await ask(world)).token).toBe("t1");
  expect(world.observed).toEqual([{ _tag: "PortFailed", code: "PortBroken" }]);
});

describe("refused, and nothing settled", () => {
  const table: readonly (readonly [string, unknown, string, string, number])[] = [
    ["no body", null, "FieldMalformed", "M_INVALID_PARAM", 400],
    ["no event", bodyOf(7), "FieldMalformed", "M_INVALID_PARAM", 400],
    [
      "an unknown version",
      bodyOf(eventOf(), { room_version: "99" }),
      "RoomVersionUnknown",
      "M_INCOMPATIBLE_ROOM_VERSION",
      400,
    ],
    ["another type", bodyOf(eventOf({ type: "m.room.name" })), "FieldMalformed", "M_INVALID_PARAM", 400],
    [
      "another membership",
      bodyOf(eventOf({ content: { membership: "join" } })),
      "FieldMalformed",
      "M_INVALID_PARAM",
      400,
    ],
    ["another room", bodyOf(eventOf({ room_id: "!other" })), "FieldMalformed", "M_INVALID_PARAM", 400],
    [
      "a sender of a third server",
      bodyOf(eventOf({ sender: alice })),
      "OriginMismatch",
      "M_INVALID_PARAM",
      400,
    ],
    [
      "a target that is not ours",
      bodyOf(eventOf({ state_key: bob })),
      "UserNotLocal",
      "M_INVALID_PARAM",
      400,
    ],
    [
      "a proof of somebody else",
      bodyOf(
        eventOf({ content: { membership: "invite", third_party_invite: { signed: signedBy(alice, "t1") } } }),
      ),
      "MxidMismatch",
      "M_FORBIDDEN",
      403,
    ],
    [
      "third_party_invite of null",
      bodyOf(eventOf({ content: { membership: "invite", third_party_invite: null } })),
      "NoSigned",
      "M_FORBIDDEN",
      403,
    ],
    [
      "version 12 without its create event",
      bodyOf(eventOf(), { room_version: "12" }),
      "InviteStateMalformed",
      "M_INVALID_PARAM",
      400,
    ],
  ];

  it.each(table)("%s", async (_, body, code, errcode, status) => {
    const world = await openHome();
    expect(problemOf(await ask(world, body))).toMatchObject({ code, errcode, status });
    expect(states(world)).toEqual(["Waiting", "Waiting"]);
    expect(world.calls).toEqual([]);
  });

  it("a user of ours who does not exist, or who blocks invites", async () => {
    const world = await openHome();
    world.users.delete(zoe);
    expect(problemOf(await ask(world))).toMatchObject({ code: "UserUnknown", status: 404 });
    world.users.set(zoe, { blocksInvites: true });
    expect(problemOf(await ask(world))).toMatchObject({
      code: "InvitesBlocked",
      errcode: "M_INVITE_BLOCKED",
    });
    expect(states(world)).toEqual(["Waiting", "Waiting"]);
  });
});
