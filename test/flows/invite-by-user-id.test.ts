import type { InviteCommand } from "matrix-third-party-invites";
import { describe, expect, it } from "vitest";
import { type World, openWorld } from "./ports.js";
import { address, alice, anna, bob, codeOf, must, problemOf, room } from "./samples.js";

const ask = (world: World, userId: string, more: Partial<InviteCommand> = {}) =>
  world.invites.invite({ roomId: room, requester: { userId: alice }, body: { user_id: userId }, ...more });

describe("an ordinary invite", () => {
  it("carries the profile, the reason and is_direct", async () => {
    const world = openWorld();
    world.users.set(anna, { profile: { displayname: "Anna" } });
    const outcome = must(
      await ask(world, anna, { body: { user_id: anna, reason: "Tea" }, details: { isDirect: true } }),
    );
    expect(outcome._tag).toBe("Invite");
    expect(world.appended.map(({ sender, state_key, content }) => ({ sender, state_key, content }))).toEqual([
      {
        sender: alice,
        state_key: anna,
        content: { membership: "invite", displayname: "Anna", reason: "Tea", is_direct: true },
      },
    ]);
    expect(world.observed).toEqual([{ _tag: "InviteMade", roomId: room, sender: alice, target: anna }]);
  });

  it("of another server's user needs nothing to be known of them", async () => {
    const world = openWorld();
    expect(must(await ask(world, bob))._tag).toBe("Invite");
    expect(world.appended[0]?.content).toEqual({ membership: "invite" });
  });

  it("of one who is invited already makes no event", async () => {
    const world = openWorld();
    world.join(bob, "invite");
    expect(must(await ask(world, bob))).toEqual({ _tag: "AlreadyInvited", userId: bob, events: [] });
    expect(world.appended).toEqual([]);
  });

  it.each([
    ["a user of ours who does not exist", anna, "UserUnknown", 404, "M_NOT_FOUND", () => undefined],
    [
      "a user of ours who blocks invites",
      anna,
      "InvitesBlocked",
      403,
      "M_INVITE_BLOCKED",
      (w: World) => w.users.set(anna, { blocksInvites: true }),
    ],
    [
      "a joined user",
      bob,
      "TargetJoined",
      403,
      "M_FORBIDDEN",
      (w: World) => {
        w.join(bob);
      },
    ],
    [
      "a banned user",
      bob,
      "TargetBanned",
      403,
      "M_FORBIDDEN",
      (w: World) => {
        w.join(bob, "ban");
      },
    ],
    [
      "a room that does not federate",
      bob,
      "TargetNotFederated",
      403,
      "M_FORBIDDEN",
      (w: World) => {
        w.put({ type: "m.room.create", content: { room_version: "11", "m.federate": false } });
      },
    ],
    [
      "a requester who left",
      bob,
      "SenderNotJoined",
      403,
      "M_FORBIDDEN",
      (w: World) => {
        w.join(alice, "leave");
      },
    ],
    ["a room we are not in", bob, "SenderNotJoined", 403, "M_FORBIDDEN", (w: World) => w.rooms.delete(room)],
  ])("%s → refused", async (_, userId, code, status, errcode, prepare) => {
    const world = openWorld();
    prepare(world);
    expect(problemOf(await ask(world, userId))).toMatchObject({ code, status, errcode });
    expect(world.appended).toEqual([]);
  });

  it("one who may not invite learns nothing of whether a user exists, and costs no policy", async () => {
    const world = openWorld();
    world.join(anna);
    const requester = { userId: anna };
    expect(codeOf(await ask(world, bob, { requester }))).toBe("PowerTooLow");
    expect(world.count("users.find") + world.count("policy.mayInvite")).toBe(0);
  });

  it("asks the policy once, however often the append conflicts", async () => {
    const world = openWorld();
    world.next.append.push({ _tag: "Conflict" }, { _tag: "Conflict" });
    must(await ask(world, bob));
    expect(world.count("policy.mayInvite")).toBe(1);
    expect(world.calls.find(({ name }) => name === "policy.mayInvite")?.args[0]).toEqual({
      inviter: alice,
      roomId: room,
      target: { _tag: "ByUserId", userId: bob },
    });
    expect(world.count("events.append")).toBe(3);
  });
});

describe("POST /invite, in whichever of its forms", () => {
  const post = (world: World, body: unknown) =>
    world.invites.invite({ roomId: room, requester: { userId: alice }, body });
  const byThreepid = { id_server: "id.example", id_access_token: "t", medium: "email", address };

  it.each([
    ["by user ID", { user_id: bob, reason: "Tea" }, "Invite"],
    ["by third-party identifier", byThreepid, "ThirdPartyInvite"],
  ])("%s", async (_, body, tag) => {
    expect(must(await post(openWorld(), body))._tag).toBe(tag);
  });

  it.each([
    ["both", { ...byThreepid, user_id: bob }, "BothForms"],
    ["neither", {}, "FieldMissing"],
    ["half of one", { medium: "email", address }, "FieldMissing"],
    ["another medium", { ...byThreepid, medium: "fax" }, "MediumUnsupported"],
    ["no address", { ...byThreepid, address: "zoe" }, "AddressMalformed"],
    [
      "an identity server with a scheme",
      { ...byThreepid, id_server: "https://id.example" },
      "FieldMalformed",
    ],
    ["no object", [], "BodyNotObject"],
  ])("%s → refused without any call", async (_, body, code) => {
    const world = openWorld();
    expect(problemOf(await post(world, body))).toMatchObject({ code, status: 400 });
    expect(world.calls).toEqual([]);
    expect(world.observed).toEqual([{ _tag: "Refused", code, flow: "invite" }]);
  });
});
