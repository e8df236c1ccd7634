import type { ListedInvite } from "matrix-third-party-invites";
import { describe, expect, it } from "vitest";
import { ask, bothMayInvite, bringLate, bringTo, down, during, once, revokeZoe } from "./lives.js";
import { type World, openWorld, pend } from "./ports.js";
import {
  address,
  alice,
  anna,
  bob,
  carol,
  codeOf,
  idServer,
  invite,
  must,
  problemOf,
  room,
} from "./samples.js";

const list = (world: World, userId: string = alice) =>
  world.invites.listInvites({ roomId: room, requester: { userId } });
const left = (world: World) => world.invites.invitesLeftBehind({ roomId: room });

/** Alice and Anna are in the room. */
const openRoom = (config = {}): World => {
  const world = openWorld({ ...bothMayInvite, config });
  world.join(anna);
  return world;
};

const since = 1_800_000_000_000;
const zoe = { medium: "email", address };
const displayName = "zo...@ex...";
const inRoom = { sender: alice, token: "token1", displayName, since, idServer };

describe("what its inviter sees of an invite", () => {
  it.each<readonly [keyof typeof bringTo, Partial<ListedInvite>]>([
    ["Intended", { state: "Intended", sender: alice, since, idServer }],
    ["Asked", { state: "Asked", sender: alice, since, idServer }],
    ["TokenStored", { state: "TokenStored", sender: alice, since, idServer }],
    // The room has the last word.
    ["Asked for a resend", { state: "Pending", ...inRoom }],
    ["TokenStored, its note lost", { state: "Pending", ...inRoom }],
    ["Pending", { state: "Pending", ...inRoom }],
    ["Redeemed", { state: "Redeemed", ...inRoom, redeemedBy: bob }],
    ["Revoked", { state: "Revoked", sender: alice, since, idServer }],
    ["Expired", { state: "Expired", sender: alice, since, idServer }],
  ])("%s", async (place, shown) => {
    const world = openRoom();
    await bringTo[place](world);
    expect(must(await list(world))).toEqual([shown]);
  });

  it.each(["Revoked", "Expired"] as const)(
    "%s, and its event is pending all the same → Pending",
    async (place) => {
      const world = openRoom();
      await bringTo[place](world);
      pend(world, "token1");
      expect(must(await list(world))).toEqual([{ state: "Pending", ...inRoom }]);
    },
  );

  it("Pending, and somebody has emptied its event past us → Revoked", async () => {
    const world = openRoom();
    await bringTo.Pending(world);
    pend(world, "token1", { sender: anna, content: {} });
    expect(must(await list(world))).toEqual([{ state: "Revoked", sender: alice, since, idServer }]);
  });

  it("redeemed and emptied since → Redeemed, by whom", async () => {
    const world = openRoom();
    await bringTo.Redeemed(world);
    pend(world, "token1", { content: {} });
    expect(must(await list(world))).toMatchObject([{ state: "Redeemed", redeemedBy: bob }]);
  });

  it("both tokens, while both are pending", async () => {
    const world = openRoom();
    await bringLate(world);
    expect(must(await list(world)).map(({ token }) => token)).toEqual(["token2", "token1"]);
  });

  it("one whose token somebody else took over: theirs is pending, and ours is revoked", async () => {
    const world = openRoom({ storeAddresses: true });
    await bringTo.Pending(world);
    pend(world, "token1", { sender: bob, at: 7 });
    const theirs = { state: "Pending", sender: bob, token: "token1", displayName, since: 7 };
    expect(must(await list(world))).toEqual([
      theirs,
      { state: "Revoked", sender: alice, since, idServer, threepid: zoe },
    ]);
    expect(must(await list(world, anna))).toEqual([theirs]);
    expect(must(await left(world))).toEqual([theirs]);
  });
});

describe("what other members see", () => {
  it.each<readonly [keyof typeof bringTo, number]>([
    ["Intended", 0],
    ["Asked", 0],
    ["TokenStored", 0],
    ["Revoked", 0],
    ["Expired", 0],
    ["Asked for a resend", 1],
    ["TokenStored, its note lost", 1],
    ["Pending", 1],
    ["Redeemed", 1],
  ])("%s: only what is pending in the room", async (place, many) => {
    const world = openRoom();
    await bringTo[place](world);
    expect(must(await list(world, anna))).toHaveLength(many);
  });

  it("without the power to invite as well", async () => {
    const world = openRoom();
    await bringTo.Pending(world);
    world.put({ type: "m.room.power_levels", content: { users: { [alice]: 100 }, invite: 50 } });
    expect(must(await list(world, anna))).toEqual([{ state: "Pending", ...inRoom }]);
  });

  it("an invite of another server is shown as the room has it", async () => {
    const world = openRoom();
    pend(world, "theirs", { sender: bob, at: 5 });
    pend(world, "timeless", { sender: carol, content: { public_key: "x", display_name: 7 } });
    pend(world, "empty", { sender: bob, content: {} });
    for (const userId of [alice, anna])
      expect(must(await list(world, userId))).toEqual([
        { state: "Pending", sender: bob, token: "theirs", displayName, since: 5 },
        { state: "Pending", sender: carol, token: "timeless" },
      ]);
  });

  it("a room without any", async () => {
    expect(must(await list(openRoom()))).toEqual([]);
  });
});

describe("an address", () => {
  it("is shown to its inviter alone, and only where the host stores it", async () => {
    for (const storeAddresses of [true, false]) {
      const world = openRoom({ storeAddresses });
      await bringTo.Pending(world);
      expect(must(await list(world))).toEqual([
        { state: "Pending", ...inRoom, ...(storeAddresses ? { threepid: zoe } : {}) },
      ]);
      for (const others of [must(await list(world, anna)), must(await left(world))]) {
        expect(others).toHaveLength(1);
        expect(JSON.stringify(others)).not.toContain(address);
      }
    }
  });

  it.each(Object.keys(bringTo) as (keyof typeof bringTo)[])(
    "stays with the invite wherever it goes: %s",
    async (place) => {
      const world = openRoom({ storeAddresses: true });
      await bringTo[place](world);
      expect(must(await list(world))).toMatchObject([{ threepid: zoe }]);
      expect(JSON.stringify([must(await list(world, anna)), must(await left(world))])).not.toContain(address);
    },
  );

  it("of one invite is not shown at another's, though both are of one user", async () => {
    const world = openRoom({ storeAddresses: true });
    await bringTo.Pending(world);
    must(await ask(world, { body: invite({ address: "yan@example.org" }) }));
    expect(must(await list(world)).map(({ token, threepid }) => [token, threepid?.address])).toEqual([
      ["token1", address],
      ["token2", "yan@example.org"],
    ]);
  });

  it("each sees their own", async () => {
    const world = openRoom({ storeAddresses: true });
    await bringTo.Pending(world);
    must(await ask(world, { requester: { userId: anna }, body: invite({ address: "yan@example.org" }) }));
    const shown = async (userId: string) =>
      must(await list(world, userId)).map(({ threepid }) => threepid?.address);
    expect(await shown(alice)).toEqual([address, undefined]);
    expect(await shown(anna)).toEqual([undefined, "yan@example.org"]);
  });
});

describe("invitesLeftBehind: for the host, when a room is upgraded", () => {
  it.each<readonly [keyof typeof bringTo, readonly string[]]>([
    ["Intended", ["Intended"]],
    ["Asked", ["Asked"]],
    ["Asked for a resend", ["Pending"]],
    ["TokenStored", ["TokenStored"]],
    ["TokenStored, its note lost", ["Pending"]],
    ["Pending", ["Pending"]],
    ["Redeemed", []],
    ["Revoked", []],
    ["Expired", []],
  ])("%s", async (place, states) => {
    const world = openRoom();
    await bringTo[place](world);
    expect(must(await left(world)).map(({ state }) => state)).toEqual(states);
  });

  it("those of all members and of other servers", async () => {
    const world = openRoom();
    await bringTo.TokenStored(world);
    pend(world, "hers", { sender: anna });
    pend(world, "theirs", { sender: bob });
    pend(world, "empty", { sender: bob, content: {} });
    expect(must(await left(world)).map(({ sender, token }) => [sender, token])).toEqual([
      [anna, "hers"],
      [bob, "theirs"],
      [alice, undefined],
    ]);
  });
});

describe("an invite that comes into the room while the list is read", () => {
  it.each(["rooms.tokens", "invites.list"])(
    "after %s: it is not shown as revoked, nor left out",
    async (name) => {
      const world = openRoom();
      await bringTo.TokenStored(world);
      during(world, name, "after", () => ask(world));
      expect(must(await list(world)).map(({ state }) => state)).not.toContain("Revoked");

      const upgraded = openRoom();
      await bringTo.TokenStored(upgraded);
      during(upgraded, name, "after", () => ask(upgraded));
      expect(must(await left(upgraded))).toHaveLength(1);
    },
  );

  it("one that is revoked meanwhile is not shown as pending", async () => {
    const world = openRoom();
    await bringTo.Pending(world);
    during(world, "invites.list", "after", () => revokeZoe(world));
    expect(must(await list(world)).map(({ state }) => state)).toEqual(["Revoked"]);
  });
});

describe("refused", () => {
  it.each([
    ["who is not there", "@nobody:a.example", undefined],
    ["who is invited", anna, "invite"],
    ["who has left", anna, "leave"],
    ["who was banned", anna, "ban"],
    ["who knocks", anna, "knock"],
  ])("a user %s → SenderNotJoined", async (_, userId, membership) => {
    const world = openRoom();
    await bringTo.Pending(world);
    if (membership !== undefined) world.join(userId, membership);
    expect(problemOf(await list(world, userId))).toMatchObject({ code: "SenderNotJoined", status: 403 });
  });

  it("whoever is invited by the very invite they ask for", async () => {
    const world = openRoom();
    await bringTo.Redeemed(world);
    expect(codeOf(await list(world, bob))).toBe("SenderNotJoined");
  });

  it("a room that we are not in: towards a user the same; towards the host, NotInRoom", async () => {
    const world = openWorld({ resident: false });
    expect(codeOf(await list(world))).toBe("SenderNotJoined");
    expect(codeOf(await left(world))).toBe("NotInRoom");
  });

  it.each(["rooms.tokens", "rooms.snapshot"])("a room whose state is not whole (%s)", async (name) => {
    for (const flow of [list, left]) {
      const world = openRoom();
      once(world, name, () => Promise.resolve({ _tag: "Incomplete" }));
      expect(codeOf(await flow(world))).toBe("RoomIncomplete");
    }
  });

  it.each(["rooms.tokens", "rooms.snapshot", "invites.list"])("%s is down", async (name) => {
    for (const flow of [list, left]) {
      const world = openRoom();
      once(world, name, down);
      expect(codeOf(await flow(world))).toBe("PortBroken");
    }
  });

  it("what is no ID", async () => {
    const { invites } = openWorld();
    const requester = { userId: alice };
    expect(codeOf(await invites.listInvites({ roomId: "garden", requester }))).toBe("FieldMalformed");
    expect(codeOf(await invites.listInvites({ roomId: room, requester: { userId: "alice" } }))).toBe(
      "FieldMalformed",
    );
    expect(codeOf(await invites.invitesLeftBehind({ roomId: "garden" }))).toBe("FieldMalformed");
  });
});

it("only reads, and asks each port once", async () => {
  const world = openRoom();
  await bringTo.Redeemed(world);
  world.calls.length = 0;
  must(await list(world));
  expect([...world.names()].sort()).toEqual(["invites.list", "rooms.snapshot", "rooms.tokens"]);
});

it("hands the caller's signal to every port, and stops with it", async () => {
  const world = openRoom();
  await bringTo.Pending(world);
  world.calls.length = 0;
  const stop = new AbortController();
  const { signal } = stop;
  const requester = { userId: alice };
  must(await world.invites.listInvites({ roomId: room, requester }, { signal }));
  must(await world.invites.invitesLeftBehind({ roomId: room }, { signal }));
  expect(world.calls).toHaveLength(6);
  expect(world.calls.filter((call) => call.signal !== signal)).toEqual([]);
  stop.abort();
  expect(codeOf(await world.invites.listInvites({ roomId: room, requester }, { signal }))).toBe("Cancelled");
});
