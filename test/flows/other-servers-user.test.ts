import { describe, expect, it } from "vitest";
import { bringTo, lifeOf } from "./lives.js";
import { type World, openWorld } from "./ports.js";
import { alice, bob, ephemeral, longTerm, must, room, signedBy, stranger } from "./samples.js";

/** Some identity servers deliver a proof to the inviter's server, whoever's the user is. */
const deliveryFor = (
  users: readonly string[],
  {
    by = longTerm,
    token = "token1",
    sender = alice,
  }: { by?: typeof longTerm; token?: string; sender?: string } = {},
) => ({
  mxid: users[0] ?? bob,
  invites: users.map((mxid) => ({ mxid, room_id: room, sender, signed: signedBy(mxid, token, by) })),
});

const receive = async (world: World, body: unknown) => must(await world.invites.receiveOnBind({ body }));

const openPending = async (): Promise<World> => {
  const world = openWorld();
  await bringTo.Pending(world);
  return world;
};

const invited = (world: World): readonly string[] =>
  world.appended.filter(({ type }) => type === "m.room.member").map((event) => event.state_key);

describe("a proof of another server's user, delivered to the inviter's server", () => {
  it("by the identity server's long-term key, for our own invite: the invite is made", async () => {
    const world = await openPending();
    expect(await receive(world, deliveryFor([bob]))).toEqual({ accepted: 1, added: 1, refused: [] });
    expect(must(await world.invites.deliverOwed()).done).toBe(1);
    expect(invited(world)).toEqual([bob]);
    expect(lifeOf(world)).toBe("Redeemed");
    expect(world.calls.filter(({ name }) => name === "policy.mayInvite").at(-1)?.args[0]).toEqual({
      inviter: alice,
      roomId: room,
      target: { _tag: "ByUserId", userId: bob },
    });
  });

  it.each([
    ["by the key from the mail", { by: ephemeral }],
    ["by a stranger's key", { by: stranger }],
    ["by a token that we did not get", { token: "other" }],
    ["in another inviter's name", { sender: "@carol:a.example" }],
    ["of another server's inviter", { sender: bob }],
  ])("%s: refused, and nothing is stored", async (_, more) => {
    const world = await openPending();
    const { accepted, refused } = await receive(world, deliveryFor([bob], more));
    expect([accepted, refused.map(({ refusal }) => refusal.code)]).toEqual([0, ["UserNotLocal"]]);
    expect(world.rows()).toEqual([]);
  });

  it("whoever has the private key of the mail signs 1,000 strangers: no invite is made", async () => {
    const world = await openPending();
    for (let user = 0; user < 1_000; user += 1) {
      const mxid = `@stranger${user}:far.example`;
      await receive(world, deliveryFor([mxid], { by: ephemeral }));
    }
    must(await world.invites.deliverOwed());
    expect(invited(world)).toEqual([]);
    expect(world.rows()).toEqual([]);
  });

  it("for one user: a second one finds the invite redeemed", async () => {
    const world = await openPending();
    await receive(world, deliveryFor([bob]));
    const other = "@carol:b.example";
    await receive(world, deliveryFor([other]));
    must(await world.invites.deliverOwed({ limit: 1 }));
    expect(must(await world.invites.deliverOwed()).dead).toBe(1);
    expect(invited(world)).toHaveLength(1);
    const { refused } = await receive(world, deliveryFor(["@dora:b.example"]));
    expect(refused).toHaveLength(1);
  });

  it("the policy refuses the user: the row is dead with the reason", async () => {
    const world = await openPending();
    await receive(world, deliveryFor([bob]));
    world.next.mayInvite.push({ _tag: "Refuse", status: 403, errcode: "M_FORBIDDEN" });
    expect(must(await world.invites.deliverOwed()).dead).toBe(1);
    expect(world.rows()[0]?.state).toMatchObject({ _tag: "Dead", reason: "PolicyRefused" });
    expect(invited(world)).toEqual([]);
  });
});
