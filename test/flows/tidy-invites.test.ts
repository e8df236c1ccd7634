import { describe, expect, it } from "vitest";
import {
  ask,
  bothMayInvite,
  bringLate,
  bringTo,
  day,
  dieAfterAppend,
  down,
  during,
  expireAll,
  lifeOf,
  once,
  redeem,
  revokeZoe,
  pendingTokens,
  theRecord,
} from "./lives.js";
import { type World, dieAtNth, openWorld, pend } from "./ports.js";
import { alice, anna, bob, carol, codeOf, must, problemOf, room } from "./samples.js";

const cleanUp = (world: World) => world.invites.cleanUpInvites({ roomId: room });
const expire = (world: World) => world.invites.expireInvites({ roomId: room, olderThanMs: 30 * day });

const nothing = { emptied: [], advisory: [] };

/** Tokens of one sender, whose events say that they are this old. */
const pendMany = (world: World, prefix: string, many: number, sender: string, age = 31 * day): void => {
  for (let nth = 1; nth <= many; nth += 1) pend(world, `${prefix}${nth}`, { sender, at: world.now - age });
};

/** How many tokens each append was to go by. */
const tokensRead = (world: World): readonly number[] =>
  world.calls.flatMap(({ name, args: [request] }) => {
    if (name !== "events.append") return [];
    const { reads } = request as { readonly reads: readonly { readonly type: string }[] };
    return [reads.filter(({ type }) => type === "m.room.third_party_invite").length];
  });

/** How many events each append had, and whose they were. */
const appends = (world: World): readonly (readonly [number, string])[] =>
  world.calls.flatMap(({ name, args: [request] }) => {
    if (name !== "events.append") return [];
    const { events } = request as { readonly events: readonly { readonly sender: string }[] };
    return [[events.length, [...new Set(events.map(({ sender }) => sender))].join()] as const];
  });

describe("cleanUpInvites", () => {
  it.each([
    "Intended",
    "Asked",
    "Asked for a resend",
    "TokenStored",
    "TokenStored, its note lost",
    "Pending",
  ] as const)("leaves an invite alone that is %s", async (place) => {
    const world = openWorld();
    await bringTo[place](world);
    const [life, pending] = [theRecord(world).life, pendingTokens(world)];
    expect(must(await cleanUp(world))).toEqual(nothing);
    expect([theRecord(world).life, pendingTokens(world)]).toEqual([life, pending]);
  });

  it.each(["Revoked", "Expired"] as const)(
    "empties the event of one that is %s, where it is pending",
    async (place) => {
      const world = openWorld();
      await bringTo[place](world);
      pend(world, "token1");
      world.appended.length = 0;
      world.observed.length = 0;
      expect(must(await cleanUp(world))).toEqual({ emptied: ["token1"], advisory: [] });
      expect(world.appended).toEqual([
        { type: "m.room.third_party_invite", room_id: room, sender: alice, state_key: "token1", content: {} },
      ]);
      expect(world.observed).toEqual([{ _tag: "InvitesEmptied", roomId: room, sender: alice, count: 1 }]);
      expect(lifeOf(world)).toBe(place);
    },
  );

  it("twice is as good as once", async () => {
    const world = openWorld();
    await bringTo.Redeemed(world);
    world.join(bob);
    must(await cleanUp(world));
    const { length } = world.appended;
    expect(must(await cleanUp(world))).toEqual(nothing);
    expect(world.appended).toHaveLength(length);
  });

  it("two at the same time: each event is emptied once", async () => {
    const world = openWorld();
    await bringLate(world);
    must(await revokeZoe(world));
    for (const token of ["token1", "token2"]) pend(world, token);
    world.appended.length = 0;
    const both = await Promise.all([cleanUp(world), cleanUp(world)]);
    expect(both.flatMap((one) => must(one).emptied).sort()).toEqual(["token1", "token2"]);
    expect(world.appended).toHaveLength(2);
  });

  it("keeps a redeemed one as long as its user is invited: the rules may judge the invite anew", async () => {
    const world = openWorld();
    await bringTo.Redeemed(world);
    expect(must(await cleanUp(world))).toEqual(nothing);
    expect(pendingTokens(world)).toEqual(["token1"]);
  });

  it.each(["join", "leave", "ban", "knock"])(
    "empties a redeemed one once its user's membership is %s: the proof would bring them back",
    async (membership) => {
      const world = openWorld();
      await bringTo.Redeemed(world);
      world.join(bob, membership);
      expect(must(await cleanUp(world))).toEqual({ emptied: ["token1"], advisory: [] });
      expect([pendingTokens(world), lifeOf(world)]).toEqual([[], "Redeemed"]);
    },
  );

  it("the same where it was asked for once more, and that answer was lost", async () => {
    const world = openWorld();
    await bringTo.Redeemed(world);
    world.join(bob, "leave");
    await bringTo.Asked(world);
    expect(lifeOf(world)).toBe("Asked");
    expect(must(await cleanUp(world))).toEqual({ emptied: ["token1"], advisory: [] });
  });

  it("the same where it was redeemed while a resend asked, or its answer was lost", async () => {
    const world = openWorld();
    await bringTo["Asked for a resend"](world);
    expect(await redeem(world)).toBe(true);
    world.join(bob);
    expect(must(await cleanUp(world))).toEqual({ emptied: ["token1"], advisory: [] });
  });

  it("empties an earlier token that came late, after a resend, and keeps the new one", async () => {
    const world = openWorld();
    await bringLate(world);
    expect(theRecord(world).life).toMatchObject({ _tag: "Pending", earlierTokens: ["token1"] });
    expect(must(await cleanUp(world))).toEqual({ emptied: ["token1"], advisory: [] });
    expect(pendingTokens(world)).toEqual(["token2"]);
  });

  it("the same where the note of the new one was lost as well", async () => {
    const world = openWorld();
    await dieAfterAppend(world, async () => {
      once(world, "invites.replace", down, 3);
      must(await ask(world, { resend: true }));
    });
    expect(theRecord(world).life).toMatchObject({ _tag: "TokenStored", earlierTokens: ["token1"] });
    expect(pendingTokens(world)).toEqual(["token2", "token1"]);
    expect(must(await cleanUp(world))).toEqual({ emptied: ["token1"], advisory: [] });
    expect(pendingTokens(world)).toEqual(["token2"]);
  });

  it("but not while the new one is not in the room: until then the old mail is the one that works", async () => {
    const world = openWorld();
    await bringTo.Pending(world);
    world.next.append.push({ _tag: "Unavailable" });
    await ask(world, { resend: true });
    expect(theRecord(world).life).toMatchObject({ _tag: "TokenStored", earlierTokens: ["token1"] });
    expect(must(await cleanUp(world))).toEqual(nothing);
    expect(pendingTokens(world)).toEqual(["token1"]);
  });

  it("mends what a process left that died between the append and the note, overtaken by a revocation", async () => {
    const world = openWorld();
    await dieAfterAppend(world, () => revokeZoe(world));
    expect([lifeOf(world), pendingTokens(world)]).toEqual(["Revoked", ["token1"]]);
    expect(must(await cleanUp(world))).toEqual({ emptied: ["token1"], advisory: [] });
    expect(pendingTokens(world)).toEqual([]);
  });

  it("the same by its end, when it was asked for anew and that answer is lost", async () => {
    const world = openWorld();
    await dieAfterAppend(world, async () => {
      must(await revokeZoe(world));
      await bringTo.Asked(world);
    });
    expect([lifeOf(world), pendingTokens(world)]).toEqual(["Asked", ["token1"]]);
    expect(must(await cleanUp(world)).emptied).toEqual(["token1"]);
  });

  it("has no say in the invites of others, nor in one that somebody else took over", async () => {
    const world = openWorld();
    pend(world, "theirs", { sender: bob, at: 0 });
    pend(world, "unknown", { sender: alice, at: 0 });
    await bringTo.Revoked(world);
    pend(world, "token1", { sender: anna });
    world.appended.length = 0;
    expect(must(await cleanUp(world))).toEqual(nothing);
    expect(world.appended).toEqual([]);
  });

  it("empties nothing that somebody took over between the look and the append", async () => {
    const world = openWorld();
    await bringTo.Redeemed(world);
    world.join(bob);
    // The second snapshot is that of the append.
    during(
      world,
      "rooms.snapshot",
      "before",
      () => {
        pend(world, "token1", { sender: anna });
        return Promise.resolve();
      },
      2,
    );
    expect(must(await cleanUp(world)).emptied).toEqual([]);
    expect(pendingTokens(world)).toEqual(["token1"]);
    expect(world.observed.map(({ _tag }) => _tag)).not.toContain("InvitesEmptied");
  });

  it("asks the storage and the room once, however many there are", async () => {
    const world = openWorld();
    pendMany(world, "t", 200, alice);
    must(await cleanUp(world));
    expect(world.names()).toEqual(["rooms.tokens", "invites.list", "rooms.snapshot"].sort(byFirstIn(world)));
  });
});

/** Which of the two is asked first is the flow's own affair. */
const byFirstIn = (world: World) => (one: string, other: string) =>
  world.names().indexOf(one) - world.names().indexOf(other);

describe("expireInvites", () => {
  it.each([
    "Intended",
    "Asked",
    "Asked for a resend",
    "TokenStored",
    "TokenStored, its note lost",
    "Pending",
  ] as const)("ends an invite that is old and %s", async (place) => {
    const world = openWorld();
    await bringTo[place](world);
    const pending = pendingTokens(world);
    world.now += 30 * day + 1;
    expect(must(await expire(world))).toEqual({ emptied: pending, advisory: [] });
    expect([pendingTokens(world), lifeOf(world)]).toEqual([[], "Expired"]);
    expect(world.observed.filter(({ _tag }) => _tag === "InvitesEmptied")).toHaveLength(pending.length);
    // Again has nothing to do, and whoever asks has a new invite.
    expect(must(await expire(world))).toEqual(nothing);
    expect(must(await ask(world))._tag).toBe("ThirdPartyInvite");
    expect(must(await expire(world))).toEqual(nothing);
  });

  it.each([
    "Intended",
    "Asked",
    "Asked for a resend",
    "TokenStored",
    "TokenStored, its note lost",
    "Pending",
  ] as const)("leaves one that is young and %s", async (place) => {
    const world = openWorld();
    await bringTo[place](world);
    const [life, pending] = [theRecord(world).life, pendingTokens(world)];
    world.now += 30 * day;
    expect(must(await expire(world))).toEqual(nothing);
    expect([theRecord(world).life, pendingTokens(world)]).toEqual([life, pending]);
  });

  it("a resend makes an invite young again", async () => {
    const world = openWorld();
    await bringTo.Pending(world);
    world.now += 29 * day;
    must(await ask(world, { resend: true }));
    world.now += 29 * day;
    expect(must(await expire(world))).toEqual(nothing);
    expect(pendingTokens(world)).toEqual(["token2"]);
  });

  it.each(["Revoked", "Redeemed"] as const)("does not touch the record of one that is %s", async (place) => {
    const world = openWorld();
    await bringTo[place](world);
    world.now += 99 * day;
    expect(must(await expire(world))).toEqual(nothing);
    expect(lifeOf(world)).toBe(place);
  });

  it("leaves one that was redeemed in the room, however old: cleanUpInvites knows when it may go", async () => {
    const world = openWorld();
    await bringTo.Redeemed(world);
    world.now += 99 * day;
    expect(must(await expire(world))).toEqual(nothing);
    expect(pendingTokens(world)).toEqual(["token1"]);
  });

  it("a revoked one whose event is pending all the same is emptied too", async () => {
    const world = openWorld();
    await bringTo.Revoked(world);
    pend(world, "token1");
    world.now += 99 * day;
    expect(must(await expire(world)).emptied).toEqual(["token1"]);
    expect(lifeOf(world)).toBe("Revoked");
  });

  it("knows the age of what is not stored here by the event's own time; without one it is not old", async () => {
    const world = openWorld();
    pend(world, "old", { at: world.now - 30 * day - 1 });
    pend(world, "young", { at: world.now - 30 * day });
    pend(world, "timeless");
    pend(world, "future", { at: world.now + 1 });
    expect(must(await expire(world))).toEqual({ emptied: ["old"], advisory: [] });
    expect(pendingTokens(world)).toEqual(["young", "timeless", "future"]);
  });

  it("goes by our own time where we have one, whatever the event says", async () => {
    const world = openWorld();
    await bringTo.Pending(world);
    pend(world, "token1", { at: 0 });
    expect(must(await expire(world))).toEqual(nothing);
    pend(world, "token1", { at: world.now + 99 * day });
    world.now += 31 * day;
    expect(must(await expire(world)).emptied).toEqual(["token1"]);
  });

  it("what somebody else took over is theirs: by its own time, reported, and our record ends", async () => {
    const world = openWorld();
    await bringTo.Pending(world);
    pend(world, "token1", { sender: bob, at: 0 });
    world.now += 31 * day;
    expect(must(await expire(world))).toEqual({
      emptied: [],
      advisory: [{ token: "token1", sender: bob, reason: "Expired", because: "SenderNotLocal" }],
    });
    expect([pendingTokens(world), lifeOf(world)]).toEqual([["token1"], "Expired"]);
  });

  it("nothing is touched twice, nor an event that is empty", async () => {
    const world = openWorld();
    pend(world, "empty", { content: {}, at: 0 });
    pend(world, "redacted", { content: { display_name: "z..." }, at: 0 });
    expect(must(await expire(world))).toEqual(nothing);
    expect(world.count("events.append")).toBe(0);
  });

  it("while the append is under way → the token is emptied after it", async () => {
    for (const when of ["before", "after"] as const) {
      const world = openWorld();
      during(world, "events.append", when, async () => {
        world.now += 31 * day;
        must(await expire(world));
      });
      await ask(world);
      expect([when, lifeOf(world), pendingTokens(world)]).toEqual([when, "Expired", []]);
    }
  });

  it("while store-invite is under way → the token never comes into the room", async () => {
    const world = openWorld();
    during(world, "identityServer.storeInvite", "after", async () => {
      world.now += 31 * day;
      must(await expire(world));
    });
    expect(codeOf(await ask(world))).toBe("InviteRevoked");
    expect([lifeOf(world), world.appended]).toEqual(["Expired", []]);
  });

  it("what was asked for anew between the look and the note is not noted as expired", async () => {
    const world = openWorld();
    await bringTo.TokenStored(world);
    world.now += 31 * day;
    during(world, "invites.find", "before", () => ask(world, { resend: true }));
    must(await expire(world));
    expect([lifeOf(world), pendingTokens(world)]).toEqual(["Pending", ["token2"]]);
  });

  it("a note that cannot be made is made the next time", async () => {
    const world = openWorld();
    await bringTo.Pending(world);
    world.now += 31 * day;
    once(world, "invites.replace", down);
    expect(must(await expire(world)).emptied).toEqual(["token1"]);
    expect(lifeOf(world)).toBe("Pending");
    expect(must(await expire(world))).toEqual(nothing);
    expect(lifeOf(world)).toBe("Expired");
  });

  it("a proof that comes later finds no key", async () => {
    const world = openWorld();
    await bringTo.Expired(world);
    expect(await redeem(world)).toBe(false);
    expect(lifeOf(world)).toBe("Expired");
  });
});

describe("in the name of their sender, with what they may do now", () => {
  it("120 of one sender are three appends", async () => {
    const world = openWorld();
    pendMany(world, "t", 120, alice);
    const { emptied, advisory } = must(await expire(world));
    expect([emptied.length, new Set(emptied).size, advisory]).toEqual([120, 120, []]);
    expect(appends(world)).toEqual([
      [50, alice],
      [50, alice],
      [20, alice],
    ]);
    expect([tokensRead(world), world.count("rooms.snapshot")]).toEqual([[50, 50, 20], 4]);
    expect(pendingTokens(world)).toEqual([]);
    expect(world.observed).toEqual(
      [50, 50, 20].map((count) => ({ _tag: "InvitesEmptied", roomId: room, sender: alice, count })),
    );
  });

  it("of two senders, mixed, each has appends of their own", async () => {
    const world = openWorld(bothMayInvite);
    world.join(anna);
    for (let nth = 0; nth < 30; nth += 1) {
      pendMany(world, `a${nth}.`, 1, alice);
      pendMany(world, `b${nth}.`, 1, anna);
    }
    must(await expire(world));
    expect(appends(world)).toEqual([
      [30, alice],
      [30, anna],
    ]);
    for (const { sender, state_key } of world.appended)
      expect(sender).toBe(state_key.startsWith("a") ? alice : anna);
  });

  it.each([
    ["of another server", bob, undefined, "SenderNotLocal"],
    ["who has left", anna, "leave", "SenderNotJoined"],
    ["who was banned", anna, "ban", "SenderNotJoined"],
    ["without the power", anna, "join", "PowerTooLow"],
    ["whose ID is none", "anna", undefined, "SenderNotLocal"],
  ])("a sender %s: reported, with the code, and left alone", async (_, sender, membership, because) => {
    const world = openWorld();
    if (membership !== undefined) world.join(sender, membership);
    pendMany(world, "t", 2, sender);
    pendMany(world, "mine", 1, alice);
    const report = (token: string) => ({ token, sender, reason: "Expired", because });
    expect(must(await expire(world))).toEqual({ emptied: ["mine1"], advisory: ["t1", "t2"].map(report) });
    expect(world.appended.map(({ state_key }) => state_key)).toEqual(["mine1"]);
  });

  it("an invite of ours that stays pending, as its sender has left, is not noted as expired", async () => {
    const world = openWorld(bothMayInvite);
    world.join(anna);
    must(await ask(world, { requester: { userId: anna } }));
    world.join(anna, "leave");
    world.now += 31 * day;
    expect(must(await expire(world)).advisory).toMatchObject([
      { token: "token1", because: "SenderNotJoined" },
    ]);
    expect(lifeOf(world)).toBe("Pending");
    // She is back: now it can be done.
    world.join(anna);
    expect(must(await expire(world))).toEqual({ emptied: ["token1"], advisory: [] });
    expect(lifeOf(world)).toBe("Expired");
  });

  it.each([["refused", { _tag: "Refused", status: 403, errcode: "M_FORBIDDEN" }, "AppendRefused"]] as const)(
    "one sender whose events are %s does not keep the others from being emptied",
    async (_, answer, because) => {
      const world = openWorld(bothMayInvite);
      world.join(anna);
      pendMany(world, "a", 1, alice);
      pendMany(world, "b", 1, anna);
      world.next.append.push(answer);
      expect(must(await expire(world))).toMatchObject({
        emptied: ["b1"],
        advisory: [{ token: "a1", sender: alice, because }],
      });
    },
  );

  it("nor one whose room state never comes to rest", async () => {
    const world = openWorld(bothMayInvite);
    world.join(anna);
    pendMany(world, "a", 1, alice);
    pendMany(world, "b", 1, anna);
    world.next.append.push(...Array.from({ length: 5 }, () => ({ _tag: "Conflict" }) as const));
    expect(must(await expire(world)).emptied).toEqual(["b1"]);
  });

  it("a port that is down ends it, and the next time it goes on", async () => {
    const world = openWorld();
    pendMany(world, "t", 120, alice);
    once(world, "events.append", down, 2);
    expect(problemOf(await expire(world))).toMatchObject({ _tag: "PortFailure", code: "PortBroken" });
    expect(pendingTokens(world)).toHaveLength(70);
    expect(must(await expire(world)).emptied).toHaveLength(70);
  });

  it("is not stopped by a member who floods the room with old invites", async () => {
    const world = openWorld();
    pendMany(world, "t", 40_000, carol);
    const before = process.cpuUsage();
    // Of other servers' invites so many are looked at in one call, and no more.
    expect(must(await expire(world)).advisory).toHaveLength(5_000);
    // Some 100 ms of this process, however busy the machine is; seconds where each is compared with those before it.
    expect(process.cpuUsage(before).user).toBeLessThan(1_000_000);
  });
});

describe("a process that dies at any await leaves what the next one mends", () => {
  const scenes: readonly (readonly [
    string,
    (world: World) => Promise<unknown>,
    (world: World) => Promise<unknown>,
  ])[] = [
    ["revoked by address", bringLate, async (world) => must(await revokeZoe(world))],
    ["expired", bringLate, async (world) => must(await expireAll(world))],
    [
      "cleaned up",
      async (world) => {
        await dieAfterAppend(world, () => revokeZoe(world));
      },
      async (world) => must(await cleanUp(world)),
    ],
  ];

  it.each(scenes)("%s", async (_, prepare, act) => {
    const whole = openWorld();
    await prepare(whole);
    whole.calls.length = 0;
    await act(whole);
    const names = whole.names();
    expect(pendingTokens(whole)).toEqual([]);
    for (const how of ["before", "after"] as const)
      for (let nth = 1; nth <= names.length; nth += 1) {
        const world = openWorld();
        await prepare(world);
        const died = dieAtNth(world, nth, how);
        void act(world);
        expect(await died).toBe(names[nth - 1]);
        world.intercept = undefined;
        await act(world);
        expect([nth, how, pendingTokens(world), lifeOf(world)]).toEqual([nth, how, [], lifeOf(whole)]);
      }
  });
});

describe.each([
  ["cleanUpInvites", cleanUp],
  ["expireInvites", expire],
] as const)("%s, of a room", (_, tidy) => {
  it("that we are not in → NotInRoom", async () => {
    expect(problemOf(await tidy(openWorld({ resident: false })))).toMatchObject({
      _tag: "Refusal",
      code: "NotInRoom",
    });
  });

  it.each(["rooms.tokens", "rooms.snapshot"])(
    "whose state is not whole (%s) → RoomIncomplete",
    async (name) => {
      const world = openWorld();
      pend(world, "t1", { at: 0 });
      once(world, name, () => Promise.resolve({ _tag: "Incomplete" }));
      expect(codeOf(await tidy(world))).toBe("RoomIncomplete");
      expect(world.appended).toEqual([]);
    },
  );

  it("that is no room ID → FieldMalformed", async () => {
    const { invites } = openWorld();
    expect(codeOf(await invites.cleanUpInvites({ roomId: "garden" }))).toBe("FieldMalformed");
    expect(codeOf(await invites.expireInvites({ roomId: "garden", olderThanMs: 1 }))).toBe("FieldMalformed");
  });

  it("hands the caller's signal to every port, but for the note of what is done", async () => {
    const world = openWorld();
    await bringTo.Revoked(world);
    pend(world, "token1");
    world.now += 31 * day;
    world.calls.length = 0;
    const { signal } = new AbortController();
    must(await world.invites.cleanUpInvites({ roomId: room }, { signal }));
    pend(world, "token1");
    must(await world.invites.expireInvites({ roomId: room, olderThanMs: day }, { signal }));
    expect(world.names().filter((name) => name === "events.append")).toHaveLength(2);
    expect(world.calls.filter((call) => call.signal !== signal)).toEqual([]);
  });

  it("stops where the caller does", async () => {
    const world = openWorld();
    pendMany(world, "t", 120, alice);
    const stop = new AbortController();
    during(world, "events.append", "after", () => {
      stop.abort();
      return Promise.resolve();
    });
    const run = await world.invites.expireInvites(
      { roomId: room, olderThanMs: day },
      { signal: stop.signal },
    );
    expect(codeOf(run)).toBe("Cancelled");
    expect(world.count("events.append")).toBe(1);
  });
});
