import { describe, expect, it } from "vitest";
import { createThirdPartyInvites } from "matrix-third-party-invites";
import { bringTo, lifeOf } from "./lives.js";
import { type World, openWorld, owe, pend, waitingIn } from "./ports.js";
import { address, alice, anna, bob, codeOf, idServer, invite, must, problemOf, room } from "./samples.js";

const zoe = { medium: "email", address };

/** Alice has invited Zoë, and Yves. */
const openInvited = async (): Promise<World> => {
  const world = openWorld();
  for (const more of [{}, { address: "yves@example.org" }])
    must(await world.invites.invite({ roomId: room, requester: { userId: alice }, body: invite(more) }));
  world.calls.length = 0;
  world.observed.length = 0;
  return world;
};

const emptied = (world: World): readonly string[] =>
  world.appended.filter(({ content }) => Object.keys(content).length === 0).map((event) => event.state_key);

describe("findInvites", () => {
  it.each([
    ["a sender", { sender: alice }, 2],
    ["another sender", { sender: bob }, 0],
    ["an identity server", { idServer }, 2],
    ["an address, however it is written", { medium: "email", address: "ZOE@Example.org" }, 1],
    ["an address that nobody invited", { medium: "email", address: "x@example.org" }, 0],
  ])("by %s, over all rooms and without an address", async (_, by, count) => {
    const world = await openInvited();
    const { invites, next } = must(await world.invites.findInvites({ by }));
    expect(invites).toHaveLength(count);
    expect(next).toBeUndefined();
    for (const one of invites)
      expect(one).toEqual({ roomId: room, sender: alice, idServer, state: "Pending", since: world.now });
  });

  it("page by page", async () => {
    const { invites, records } = await openInvited();
    const first = must(await invites.findInvites({ by: { sender: alice }, limit: 1 }));
    const keys = [...records.keys()];
    expect(keys).toContain(first.next?.key);
    const second = must(
      await invites.findInvites({
        by: { sender: alice },
        limit: 2,
        ...(first.next === undefined ? {} : { after: first.next }),
      }),
    );
    expect(second).toMatchObject({ invites: [{ sender: alice }], next: undefined });
  });

  it.each([
    [{ sender: "alice" }, "FieldMalformed"],
    [{ idServer: "https://id.example" }, "FieldMalformed"],
    [{ medium: "post", address: "Main Street" }, "FieldMalformed"],
    [{ medium: "email", address: "zoe" }, "AddressMalformed"],
  ])("%o is refused", async (by, code) => {
    const world = openWorld();
    expect(codeOf(await world.invites.findInvites({ by }))).toBe(code);
    expect(world.calls).toEqual([]);
  });
});

describe("the limit of a page", () => {
  it.each([NaN, Infinity, 0, -1, 1.5, 1_001, "5"])("%s is refused, and nothing is read", async (value) => {
    const world = openWorld();
    const limit = value as number;
    expect(codeOf(await world.invites.findInvites({ by: { sender: alice }, limit }))).toBe("FieldMalformed");
    expect(codeOf(await world.invites.listRedemptions({ lane: "dead", limit }))).toBe("FieldMalformed");
    expect(world.calls).toEqual([]);
  });
});

describe("revokeAllInvites", () => {
  it("of an identity server: each in the name of its own sender", async () => {
    const world = await openInvited();
    expect(must(await world.invites.revokeAllInvites({ by: { idServer } }))).toEqual({
      revoked: 2,
      refused: [],
    });
    expect(emptied(world).toSorted()).toEqual(["token1", "token2"]);
    expect(world.appended.slice(-2).map(({ sender }) => sender)).toEqual([alice, alice]);
    expect(world.observed).toContainEqual({ _tag: "InviteRevoked", roomId: room, sender: alice });
    // Those that have ended are passed over.
    expect(must(await world.invites.revokeAllInvites({ by: { idServer } })).revoked).toBe(0);
  });

  it("of an address: the others stay", async () => {
    const world = await openInvited();
    must(await world.invites.revokeAllInvites({ by: zoe }));
    expect(emptied(world)).toEqual(["token1"]);
  });

  it("tells those that their sender cannot revoke any more, and revokes the others", async () => {
    const world = await openInvited();
    world.join(alice, "leave");
    expect(must(await world.invites.revokeAllInvites({ by: { sender: alice } }))).toEqual({
      revoked: 0,
      refused: [1, 2].map(() => ({ roomId: room, sender: alice, because: "SenderNotJoined" })),
    });
  });
});

describe("isInvited", () => {
  it("an address with an open invite is, and is not once it has ended", async () => {
    const world = await openInvited();
    expect(must(await world.invites.isInvited(zoe))).toBe(true);
    expect(must(await world.invites.isInvited({ medium: "email", address: "x@example.org" }))).toBe(false);
    must(await world.invites.revokeAllInvites({ by: zoe }));
    expect(must(await world.invites.isInvited(zoe))).toBe(false);
  });

  it("also while the identity server's answer is lost", async () => {
    const world = openWorld();
    await bringTo.Asked(world);
    expect(lifeOf(world)).toBe("Asked");
    expect(must(await world.invites.isInvited(zoe))).toBe(true);
  });
});

describe("eraseAddress", () => {
  it("removes the address and its hash; the invite goes on", async () => {
    const world = openWorld({ config: { storeAddresses: true } });
    must(await world.invites.invite({ roomId: room, requester: { userId: alice }, body: invite() }));
    expect(must(await world.invites.eraseAddress(zoe))).toBe(1);
    const [record] = [...world.records.values()].map(({ value }) => value);
    expect(record).not.toHaveProperty("threepid");
    expect(record?.addressHash).toBe("");
    expect(record?.life._tag).toBe("Pending");
    expect(must(await world.invites.eraseAddress(zoe))).toBe(0);
    expect(must(await world.invites.isInvited(zoe))).toBe(false);
  });

  it("that loses the race for a record does it again", async () => {
    const world = await openInvited();
    let isFirst = true;
    world.intercept = (call, perform) => {
      if (call.name !== "invites.replace" || !isFirst) return perform();
      isFirst = false;
      return Promise.resolve({ _tag: "Stale" });
    };
    expect(must(await world.invites.eraseAddress(zoe))).toBe(1);
  });
});

describe("the queue", () => {
  const openDead = async (): Promise<World> => {
    const world = openWorld();
    pend(world, "t1", { sender: alice, content: {} });
    await owe(world, { sender: alice });
    expect(must(await world.invites.deliverOwed()).dead).toBe(1);
    return world;
  };

  it("tells what died and why", async () => {
    const world = await openDead();
    expect(must(await world.invites.listRedemptions({ lane: "dead" }))).toEqual([
      {
        id: world.rows()[0]?.id,
        roomId: room,
        mxid: anna,
        sender: alice,
        state: "Dead",
        owedAt: world.now,
        last: { reason: "InviteRevoked", status: 403, errcode: "M_FORBIDDEN" },
      },
    ]);
    expect(must(await world.invites.listRedemptions({ lane: "unvouched" }))).toEqual([]);
  });

  it("puts a dead one back, and the next call of the worker makes the invite", async () => {
    const world = await openDead();
    const [row] = must(await world.invites.listRedemptions({ lane: "dead" }));
    must(await world.invites.retryRedemption({ id: row?.id ?? "" }));
    expect(waitingIn(world)).toHaveLength(1);
    pend(world, "t1", { sender: alice });
    expect(must(await world.invites.deliverOwed()).done).toBe(1);
  });

  it.each(["", "nothing"])("that has no dead row %o refuses", async (id) => {
    const world = await openDead();
    expect(problemOf(await world.invites.retryRedemption({ id }))).toMatchObject({
      code: "RedemptionNotFound",
      status: 404,
    });
  });

  it("that somebody else has put back meanwhile refuses", async () => {
    const world = await openDead();
    const [row] = world.rows();
    const { redemptions } = world.ports;
    const replace = () => Promise.resolve({ _tag: "Stale" } as const);
    const other = createThirdPartyInvites({ ...world.ports, redemptions: { ...redemptions, replace } });
    expect(codeOf(await other.retryRedemption({ id: row?.id ?? "" }))).toBe("RedemptionNotFound");
  });

  it("of a lane that does not exist is refused, and nothing is read", async () => {
    const world = openWorld();
    const lane = "lost" as "dead";
    expect(codeOf(await world.invites.listRedemptions({ lane }))).toBe("FieldMalformed");
    expect(world.calls).toEqual([]);
  });

  it("is measured lane by lane", async () => {
    const world = await openDead();
    await owe(world, { token: "t2" });
    expect(must(await world.invites.measureQueue())).toEqual([
      { lane: "unvouched", rows: 1, bytes: expect.any(Number) as unknown, oldest: world.now },
      { lane: "dead", rows: 1, bytes: expect.any(Number) as unknown, oldest: world.now },
    ]);
  });
});

describe("checkAddressKey", () => {
  it("notes the key, knows it again, and refuses another", async () => {
    const world = openWorld();
    expect(must(await world.invites.checkAddressKey())).toBe("Noted");
    expect(must(await world.invites.checkAddressKey())).toBe("Same");
    const config = { ...world.ports.config, addressKey: new Uint8Array(32).fill(8) };
    const other = createThirdPartyInvites({ ...world.ports, config });
    expect(problemOf(await other.checkAddressKey())).toMatchObject({ code: "AddressKeyChanged" });
  });
});
