import type { JsonObject } from "matrix-third-party-invites/ports";
import { describe, expect, it } from "vitest";
import { type World, openWorld, owe, waitingIn } from "./ports.js";
import { bob as invitee, room as versionedRoom } from "../invite/room.js";
import { alice, anna, bob, codeOf, must, problemOf, room, signedBy } from "./samples.js";

/** Of this server. */
const zoe = anna;

const openHome = async (): Promise<World> => {
  const world = openWorld({ resident: false });
  world.users.set(zoe, {});
  for (const token of ["t1", "t2"]) await owe(world, { token });
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
  world.invites.receiveInboundInvite({ roomId: room, origin, body });

/** How long each row has to wait yet, in minutes, once the worker has looked. */
const delays = async (world: World): Promise<readonly number[]> => {
  world.next.exchange.push({ _tag: "Accepted" }, { _tag: "Accepted" });
  must(await world.invites.deliverOwed());
  return waitingIn(world).map(({ dueAt }) => (dueAt - world.now) / 60_000);
};

it("an invite by a token puts off what is owed for it, and nothing else", async () => {
  const world = await openHome();
  expect(must(await ask(world))).toEqual({
    roomId: room,
    sender: bob,
    strippedState: [],
    target: zoe,
    token: "t1",
  });
  expect(await delays(world)).toEqual([5]);
  expect(world.rows().map(({ token, state }) => [token, state._tag])).toEqual([
    ["t1", "Waiting"],
    ["t2", "Done"],
    ["t1", "Announced"],
  ]);
});

it("an invite that was sent, and never appended there, is asked for again", async () => {
  const world = await openHome();
  must(await ask(world));
  world.now += 5 * 60_000;
  world.next.exchange.push({ _tag: "Accepted" }, { _tag: "Accepted" });
  expect(must(await world.invites.deliverOwed()).done).toBe(2);
  expect(world.count("federation.exchangeThirdPartyInvite")).toBe(2);
});

it("an ordinary invite puts nothing off", async () => {
  const world = await openHome();
  const body = bodyOf(eventOf({ content: { membership: "invite" } }));
  expect(must(await ask(world, body)).token).toBeUndefined();
  expect(world.count("redemptions.put")).toBe(0);
  expect(await delays(world)).toEqual([]);
});

it("is accepted though the queue is down: what is owed finds the invite made", async () => {
  const world = await openHome();
  world.intercept = (call, perform) =>
    call.name === "redemptions.put" ? Promise.reject(new Error("down")) : perform();
  expect(must(await ask(world)).token).toBe("t1");
  expect(world.observed).toMatchObject([
    { _tag: "PortFailed", code: "PortBroken", port: "redemptions.put", cause: { message: "down" } },
  ]);
});

describe("the state beside an invite into a room of version 12", () => {
  const { roomId, redeemed, state } = versionedRoom("12");
  const create = state.get("m.room.create", "");
  const stripped = { type: "m.room.name", state_key: "", sender: alice, content: { name: "x" } };

  const askWith = (strictInviteState: boolean, keyOf?: () => undefined) => {
    const world = openWorld({ config: { serverName: "two.example", strictInviteState } });
    world.users.set(invitee, {});
    const body = { room_version: "12", event: redeemed(), invite_room_state: [create, stripped] };
    const more = keyOf === undefined ? {} : { keyOf };
    return world.invites.receiveInboundInvite({ roomId, origin: "one.example", body, ...more });
  };

  it("may have stripped events, unless the configuration is strict", async () => {
    expect(must(await askWith(false)).strippedState).toHaveLength(2);
    expect(codeOf(await askWith(true))).toBe("InviteStateMalformed");
  });

  it("is checked with the keys that are given", async () => {
    const asked: unknown[] = [];
    must(
      await askWith(false, (...of: unknown[]) => {
        asked.push(of[0]);
        return undefined;
      }),
    );
    expect(asked).toContain("one.example");
  });
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
    expect(world.count("redemptions.put")).toBe(0);
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
    expect(world.count("redemptions.put")).toBe(0);
  });
});
