import { inviteByThreePid, revokeInvite } from "matrix-third-party-invites";
import { describe, expect, it } from "vitest";
import { type World, openWorld, pend } from "./ports.js";
import { alice, anna, bob, codeOf, invite, must, problemOf, room } from "./samples.js";

const ask = (world: World, token = "t1", userId: string = alice) =>
  revokeInvite(world.ports)({ roomId: room, requester: { userId }, token });

const openPending = (): World => {
  const world = openWorld();
  pend(world, "t1", { sender: bob });
  return world;
};

it("empties the event (REV-2), by anybody who may invite (AUTH-N8)", async () => {
  const world = openPending();
  const outcome = must(await ask(world));
  expect(outcome._tag).toBe("Revoke");
  expect(world.appended).toEqual([
    { type: "m.room.third_party_invite", room_id: room, sender: alice, state_key: "t1", content: {} },
  ]);
  expect(world.observed).toEqual([{ _tag: "InviteRevoked", roomId: room, sender: alice }]);
  expect(must(await ask(world))).toEqual({ _tag: "AlreadyRevoked" });
  expect(world.appended).toHaveLength(1);
});

it("is noted beside an invite of ours", async () => {
  const world = openWorld();
  must(await inviteByThreePid(world.ports)({ roomId: room, requester: { userId: alice }, invite: invite() }));
  must(await ask(world, "token1"));
  expect([...world.records.values()].map(({ value }) => value.life._tag)).toEqual(["Revoked"]);
});

it("is done though the note of it cannot be made", async () => {
  const world = openPending();
  world.intercept = (call, perform) =>
    call.name.startsWith("invites.") ? Promise.reject(new Error("down")) : perform();
  expect(must(await ask(world))._tag).toBe("Revoke");
  expect(world.appended).toHaveLength(1);
});

describe("refused, and no event", () => {
  it.each([
    ["a token that the room does not have", "t2", alice, "TokenUnknown", 404, "M_NOT_FOUND"],
    ["an empty token", "", alice, "TokenUnknown", 404, "M_NOT_FOUND"],
    ["a member without the power", "t1", anna, "PowerTooLow", 403, "M_FORBIDDEN"],
    ["one who is not in the room", "t1", "@nobody:a.example", "SenderNotJoined", 403, "M_FORBIDDEN"],
    ["no user ID", "t1", "alice", "FieldMalformed", 400, "M_INVALID_PARAM"],
  ])("%s", async (_, token, userId, code, status, errcode) => {
    const world = openPending();
    world.join(anna);
    expect(problemOf(await ask(world, token, userId))).toMatchObject({ code, status, errcode });
    expect(world.appended).toEqual([]);
  });

  it("in a room that we are not in: one that our user is not in either", async () => {
    expect(codeOf(await ask(openWorld({ resident: false })))).toBe("SenderNotJoined");
  });
});

describe("the append", () => {
  it("decides again after a conflict: emptied meanwhile → nothing to do", async () => {
    const world = openPending();
    world.intercept = (call, perform) => {
      if (call.name === "events.append") pend(world, "t1", { sender: bob, content: {} });
      return perform();
    };
    expect(must(await ask(world))).toEqual({ _tag: "AlreadyRevoked" });
    expect(world.appended).toEqual([]);
  });

  it("passes on what it is refused with", async () => {
    const world = openPending();
    world.next.append.push({ _tag: "Refused", status: 418, errcode: "ORG.EXAMPLE.TEAPOT" });
    expect(problemOf(await ask(world))).toMatchObject({
      code: "AppendRefused",
      status: 418,
      errcode: "ORG.EXAMPLE.TEAPOT",
    });
  });

  it("but not a 401, which would log our client out for what went wrong between servers", async () => {
    const world = openPending();
    world.next.append.push({ _tag: "Refused", status: 401, errcode: "M_UNKNOWN_TOKEN", message: "No." });
    expect(problemOf(await ask(world))).toMatchObject({
      status: 403,
      errcode: "M_FORBIDDEN",
      message: "No.",
    });
  });
});
