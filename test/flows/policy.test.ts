import { lookupHash } from "matrix-third-party-invites/matrix";
import type { PolicyQuestion } from "matrix-third-party-invites/ports";
import { describe, expect, it } from "vitest";
import { nodeCrypto } from "matrix-third-party-invites/node";
import { ask, bringTo } from "./lives.js";
import { type World, openWorld } from "./ports.js";
import {
  address,
  alice,
  anna,
  bob,
  codeOf,
  idServer,
  invite,
  must,
  problemOf,
  room,
  threepid,
} from "./samples.js";

const questions = (world: World): readonly unknown[] =>
  world.calls.filter(({ name }) => name === "policy.mayInvite").map(({ args: [question] }) => question);

const targets = (world: World): readonly string[] =>
  questions(world).map((question) => (question as PolicyQuestion).target._tag);

/** What `users.find` was asked, in order. */
const usersAsked = (world: World): readonly unknown[] =>
  world.calls.filter(({ name }) => name === "users.find").map(({ args: [question] }) => question);

const zoe = threepid("email", address);
const byAddress = { _tag: "ByThreepid", idServer, threepid: zoe };
const byBound = (userId: string, of = zoe) => ({ _tag: "ByBoundThreepid", idServer, threepid: of, userId });
const mail = { room_name: "The garden" };

/** How an invite by address comes to a user whose ID is known. */
const ways: readonly (readonly [string, (world: World, userId: string) => unknown])[] = [
  ["the lookup names them", (world, userId) => world.bound.set(address, userId)],
  [
    "store-invite answers that the address is in use",
    (world, userId) => world.next.storeInvite.push({ _tag: "AlreadyBound", userId }),
  ],
];

describe("the policy is asked about the user, once they are known", () => {
  it.each(ways)("%s", async (_, prepare) => {
    const world = openWorld();
    prepare(world, bob);
    expect(must(await ask(world))._tag).toBe("Invite");
    expect(questions(world)).toEqual([
      { inviter: alice, roomId: room, target: byAddress, mail },
      { inviter: alice, roomId: room, target: byBound(bob), mail },
    ]);
  });

  it("a phone number", async () => {
    const world = openWorld();
    const phone = threepid("msisdn", "18005552067");
    const asked = lookupHash(nodeCrypto, phone, world.pepper);
    world.next.lookup.push({ _tag: "Mappings", userIds: new Map([[asked, bob]]) });
    must(await ask(world, { body: invite({ medium: "msisdn", address: "+18005552067" }) }));
    expect(questions(world)).toEqual([
      { inviter: alice, roomId: room, target: { ...byAddress, threepid: phone }, mail },
      { inviter: alice, roomId: room, target: byBound(bob, phone), mail },
    ]);
  });

  it("an invite that was redeemed, and whose user is invited still: about that user", async () => {
    const world = openWorld();
    await bringTo.Redeemed(world);
    world.calls.length = 0;
    expect(must(await ask(world, { resend: true }))._tag).toBe("AlreadyInvited");
    expect(questions(world)).toMatchObject([{ target: byAddress }, { target: byBound(bob) }]);
  });

  it("nobody is known: only about the address", async () => {
    const world = openWorld();
    must(await ask(world));
    expect(questions(world)).toEqual([{ inviter: alice, roomId: room, target: byAddress, mail }]);
  });

  it("an invite by user ID: once, and without a mail", async () => {
    const world = openWorld();
    must(await world.invites.invite({ roomId: room, requester: { userId: alice }, body: { user_id: bob } }));
    expect(questions(world)).toEqual([
      { inviter: alice, roomId: room, target: { _tag: "ByUserId", userId: bob } },
    ]);
  });

  it.each(ways)("once for each target, however often the append conflicts: %s", async (_, prepare) => {
    const world = openWorld();
    prepare(world, bob);
    world.next.append.push({ _tag: "Conflict" }, { _tag: "Conflict" });
    must(await ask(world));
    expect(world.count("events.append")).toBe(3);
    expect(targets(world)).toEqual(["ByThreepid", "ByBoundThreepid"]);
  });

  it("each entry of inviteAll", async () => {
    const world = openWorld();
    world.bound.set(address, bob);
    must(
      await world.invites.inviteAll({
        roomId: room,
        requester: { userId: alice },
        invites: [invite(), invite({ address: "yan@example.org" }), invite()],
        concurrency: 1,
      }),
    );
    expect(targets(world)).toEqual(["ByThreepid", "ByBoundThreepid", "ByThreepid"]);
  });
});

describe("the question has the mail content of the room and of its sender", () => {
  it("all of it, as the room has it", async () => {
    const world = openWorld({ createContent: { type: "m.space" } });
    world.bound.set(address, bob);
    world.put({ type: "m.room.canonical_alias", content: { alias: "#garden:a.example" } });
    world.put({ type: "m.room.avatar", content: { url: "mxc://a.example/tree" } });
    world.put({ type: "m.room.join_rules", content: { join_rule: "invite" } });
    const named = { membership: "join", displayname: "Alice", avatar_url: "mxc://a.example/alice" };
    world.put({ type: "m.room.member", key: alice, content: named });
    must(await ask(world));
    const all = {
      room_alias: "#garden:a.example",
      room_avatar_url: "mxc://a.example/tree",
      room_join_rules: "invite",
      room_name: "The garden",
      room_type: "m.space",
      sender_display_name: "Alice",
      sender_avatar_url: "mxc://a.example/alice",
    };
    expect(questions(world)).toMatchObject([{ mail: all }, { mail: all }]);
  });
});

describe("a policy that refuses the user", () => {
  const refusal = {
    _tag: "Refuse",
    errcode: "ORG.EXAMPLE.NOT_THEM",
    status: 403,
    message: "Not this user.",
    retryAfterMs: 900,
  } as const;

  it.each(ways)("makes no event, and is passed on: %s", async (_, prepare) => {
    const world = openWorld();
    prepare(world, bob);
    world.next.mayInvite.push({ _tag: "Allow" }, refusal);
    expect(problemOf(await ask(world))).toEqual({
      _tag: "Refusal",
      code: "PolicyRefused",
      errcode: "ORG.EXAMPLE.NOT_THEM",
      status: 403,
      message: "Not this user.",
      retryAfterMs: 900,
    });
    expect(targets(world)).toEqual(["ByThreepid", "ByBoundThreepid"]);
    expect([world.appended, world.count("events.append")]).toEqual([[], 0]);
    expect(world.observed).toEqual([{ _tag: "Refused", code: "PolicyRefused", flow: "invite" }]);
  });

  it.each(ways)("is asked before anything is learnt of the user's account: %s", async (_, prepare) => {
    const world = openWorld();
    // No such user here: the refusal of the policy comes first.
    prepare(world, anna);
    world.next.mayInvite.push({ _tag: "Allow" }, refusal);
    expect(codeOf(await ask(world))).toBe("PolicyRefused");
    expect(usersAsked(world)).not.toContainEqual({ userId: anna, inviter: alice });
  });

  it.each(ways)("that fails, or answers nonsense, is a no: %s", async (_, prepare) => {
    for (const misbehave of [
      () => Promise.reject(new Error("down")),
      () => Promise.resolve(undefined),
      () => Promise.resolve({ _tag: "Perhaps" }),
    ]) {
      const world = openWorld();
      prepare(world, bob);
      world.intercept = ({ name }, perform) =>
        name === "policy.mayInvite" && world.count(name) === 2 ? misbehave() : perform();
      expect(problemOf(await ask(world))).toMatchObject({ code: "PortBroken", port: "policy.mayInvite" });
      expect(world.count("events.append")).toBe(0);
    }
  });

  it("and refuses the address: the user is never asked about", async () => {
    const world = openWorld();
    world.bound.set(address, bob);
    world.next.mayInvite.push(refusal);
    expect(codeOf(await ask(world))).toBe("PolicyRefused");
    expect(world.names()).toEqual(["rooms.snapshot", "policy.mayInvite"]);
  });

  it("after an in-use answer leaves no mail out: the same invite may be asked for again", async () => {
    const world = openWorld();
    world.next.storeInvite.push({ _tag: "AlreadyBound", userId: bob });
    world.next.mayInvite.push({ _tag: "Allow" }, refusal);
    expect(codeOf(await ask(world))).toBe("PolicyRefused");
    expect(must(await ask(world))._tag).toBe("ThirdPartyInvite");
    expect(world.mails).toHaveLength(1);
  });
});

describe("users.find is told who invites", () => {
  it.each(ways)("%s", async (_, prepare) => {
    const world = openWorld();
    prepare(world, bob);
    must(await ask(world));
    expect(usersAsked(world).at(-1)).toEqual({ userId: bob, inviter: alice });
  });

  it("an invite by user ID", async () => {
    const world = openWorld();
    must(await world.invites.invite({ roomId: room, requester: { userId: alice }, body: { user_id: bob } }));
    expect(usersAsked(world)).toEqual([{ userId: bob, inviter: alice }]);
  });

  it("an invite from another server", async () => {
    const world = openWorld();
    world.users.set(anna, {});
    const event = { type: "m.room.member", room_id: room, sender: bob, state_key: anna };
    const body = { room_version: "11", event: { ...event, content: { membership: "invite" } } };
    must(await world.invites.receiveInboundInvite({ roomId: room, origin: "b.example", body }));
    expect(usersAsked(world)).toEqual([{ userId: anna, inviter: bob }]);
  });

  it("but not where the sender's own profile is looked up for the mail", async () => {
    const world = openWorld();
    must(await ask(world));
    expect(usersAsked(world)).toEqual([{ userId: alice }]);
  });

  it("so that a user can block one inviter and not another", async () => {
    const world = openWorld({ powerLevels: { users: { [alice]: 100, [anna]: 50 }, invite: 50 } });
    world.join(anna);
    const blocking = "@bea:a.example";
    world.bound.set(address, blocking);
    world.intercept = ({ name, args: [question] }, perform) => {
      if (name !== "users.find") return perform();
      const { inviter } = question as { readonly inviter?: string };
      return Promise.resolve({ _tag: "User", blocksInvites: inviter === anna });
    };
    expect(codeOf(await ask(world, { requester: { userId: anna } }))).toBe("InvitesBlocked");
    expect(world.appended).toEqual([]);
    expect(must(await ask(world))._tag).toBe("Invite");
  });
});
