import type { JsonObject } from "matrix-third-party-invites/ports";
import { describe, expect, it } from "vitest";
import {
  type Place,
  ask as inviteZoe,
  bothMayInvite,
  bringLate,
  bringTo,
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
import { type World, openWorld, pend } from "./ports.js";
import { addressee, alice, anna, bob, codeOf, invite, must, problemOf, room } from "./samples.js";

const ask = (world: World, token = "t1", userId: string = alice) =>
  world.invites.revokeInvite({ roomId: room, requester: { userId }, token });

const openPending = (): World => {
  const world = openWorld();
  pend(world, "t1", { sender: bob });
  return world;
};

it("empties the event, by anybody who may invite", async () => {
  const world = openPending();
  const outcome = must(await ask(world));
  expect(outcome._tag).toBe("Revoke");
  expect(world.appended).toEqual([
    { type: "m.room.third_party_invite", room_id: room, sender: alice, state_key: "t1", content: {} },
  ]);
  expect(world.observed).toEqual([{ _tag: "InviteRevoked", roomId: room, sender: alice }]);
  expect(must(await ask(world))).toEqual({ _tag: "AlreadyRevoked", events: [] });
  expect(world.appended).toHaveLength(1);
});

it("is noted beside an invite of ours", async () => {
  const world = openWorld();
  must(await inviteZoe(world));
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

  it.each([{}, { addressee: undefined }, { token: undefined }, { token: 7 }])(
    "%j, in a language without types",
    async (which: object) => {
      const world = openPending();
      const command = { roomId: room, requester: { userId: alice }, ...which };
      const problem = problemOf(await world.invites.revokeInvite(command as never));
      expect(problem).toMatchObject({ _tag: "Refusal", code: "FieldMissing", status: 400 });
      expect(problem.message).toMatch(/token or body$/);
      expect(world.calls).toEqual([]);
    },
  );

  it.each([{ body: undefined }, { body: null }, { body: "t1" }, { body: [] }])(
    "%j: a body that is no object",
    async (which) => {
      const world = openPending();
      const command = { roomId: room, requester: { userId: alice }, ...which };
      const problem = problemOf(await world.invites.revokeInvite(command));
      expect(problem).toMatchObject({ _tag: "Refusal", code: "BodyNotObject", status: 400 });
      expect(world.calls).toEqual([]);
    },
  );

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
    expect(must(await ask(world))).toEqual({ _tag: "AlreadyRevoked", events: [] });
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
      status: 424,
      errcode: "M_FORBIDDEN",
      message: "No.",
    });
  });
});

describe("by address: the requester's own invite, wherever it is in its life", () => {
  const tokenless = { _tag: "Revoke", events: [] };
  const emptied = (token: string) => ({ _tag: "Revoke", events: [{ state_key: token, content: {} }] });

  it.each<readonly [Place, object, readonly string[]]>([
    ["Intended", tokenless, []],
    ["Asked", tokenless, []],
    ["Asked for a resend", emptied("token1"), ["token1"]],
    ["TokenStored", tokenless, ["token1"]],
    ["TokenStored, its note lost", emptied("token1"), ["token1"]],
    ["Pending", emptied("token1"), ["token1"]],
  ])("%s → Revoked, and nothing is pending", async (place, outcome, tokens) => {
    const world = openWorld();
    await bringTo[place](world);
    expect(must(await revokeZoe(world))).toMatchObject(outcome);
    expect(theRecord(world).life).toEqual({ _tag: "Revoked", tokens });
    expect(pendingTokens(world)).toEqual([]);
    expect(world.observed.at(-1)).toEqual({ _tag: "InviteRevoked", roomId: room, sender: alice });
    const asked = world.calls.length;
    expect(must(await revokeZoe(world))).toEqual({ _tag: "AlreadyRevoked", events: [] });
    expect(world.names().slice(asked)).not.toContain("events.append");
    expect(world.observed.filter(({ _tag }) => _tag === "InviteRevoked")).toHaveLength(1);
    // The next one is a new invite, with a mail of its own.
    expect(must(await inviteZoe(world))._tag).toBe("ThirdPartyInvite");
    expect(pendingTokens(world)).toHaveLength(1);
  });

  it.each(["Revoked", "Expired"] as const)("%s → AlreadyRevoked, and it stays as it is", async (place) => {
    const world = openWorld();
    await bringTo[place](world);
    expect(must(await revokeZoe(world))).toEqual({ _tag: "AlreadyRevoked", events: [] });
    expect(lifeOf(world)).toBe(place);
  });

  it.each(["Revoked", "Expired"] as const)("%s, but its event is pending → emptied", async (place) => {
    const world = openWorld();
    await bringTo[place](world);
    pend(world, "token1");
    expect(must(await revokeZoe(world))).toMatchObject(emptied("token1"));
    expect(pendingTokens(world)).toEqual([]);
  });

  it("Redeemed → AlreadyRedeemed, and the event stays for the rules to judge the invite by", async () => {
    const world = openWorld();
    await bringTo.Redeemed(world);
    expect(must(await revokeZoe(world))).toEqual({ _tag: "AlreadyRedeemed", by: bob, events: [] });
    expect([pendingTokens(world), lifeOf(world)]).toEqual([["token1"], "Redeemed"]);
  });

  it("in the spelling of another day", async () => {
    const world = openWorld();
    await bringTo.Pending(world);
    must(await revokeZoe(world, alice, invite({ address: "ZOE@Example.ORG", id_access_token: "another" })));
    expect(lifeOf(world)).toBe("Revoked");
  });

  it.each<readonly [string, string, JsonObject]>([
    ["another user's", anna, addressee()],
    ["of another address", alice, addressee({ address: "yan@example.org" })],
    ["of another identity server", alice, addressee({ id_server: "other.example" })],
    ["of another medium", alice, addressee({ medium: "msisdn", address: "+18005552067" })],
  ])("an invite %s → InviteNotFound, and nothing is touched", async (_, userId, body) => {
    const world = openWorld(bothMayInvite);
    world.join(anna);
    await bringTo.Pending(world);
    expect(problemOf(await revokeZoe(world, userId, body))).toMatchObject({
      code: "InviteNotFound",
      errcode: "M_NOT_FOUND",
      status: 404,
    });
    expect([lifeOf(world), pendingTokens(world)]).toEqual(["Pending", ["token1"]]);
  });

  it("no invite at all → InviteNotFound", async () => {
    expect(codeOf(await revokeZoe(openWorld()))).toBe("InviteNotFound");
  });

  it.each([
    ["the power", { invite: 50 }, "join", "PowerTooLow"],
    ["a place in the room", { users: { [alice]: 100 }, invite: 50 }, "leave", "SenderNotJoined"],
  ])("whoever has lost %s may not, and the invite lives on", async (_, levels, membership, code) => {
    for (const place of ["Pending", "TokenStored", "Asked"] as const) {
      const world = openWorld({ creator: bob, powerLevels: { users: { [alice]: 100 }, invite: 50 } });
      world.join(alice);
      await bringTo[place](world);
      world.put({ type: "m.room.power_levels", sender: bob, content: levels });
      world.join(alice, membership);
      expect([place, codeOf(await revokeZoe(world))]).toEqual([place, code]);
      expect(lifeOf(world)).toBe(place);
    }
  });

  it("empties every pending token of it, in one append", async () => {
    const world = openWorld();
    await bringLate(world);
    expect(pendingTokens(world)).toEqual(["token2", "token1"]);
    const before = world.count("events.append");
    expect(must(await revokeZoe(world))).toMatchObject({
      events: [{ state_key: "token2" }, { state_key: "token1" }],
    });
    expect([pendingTokens(world), world.count("events.append") - before]).toEqual([[], 1]);
  });

  it("hands the caller's signal to every port, but for the note of what is done", async () => {
    const world = openWorld();
    await bringTo.Pending(world);
    world.calls.length = 0;
    const stop = new AbortController();
    const { signal } = stop;
    const command = { roomId: room, requester: { userId: alice }, body: addressee() };
    must(await world.invites.revokeInvite(command, { signal }));
    expect(world.calls.filter((call) => call.signal !== signal).map(({ name }) => name)).toEqual([
      "invites.replace",
    ]);
    stop.abort();
    expect(codeOf(await world.invites.revokeInvite(command, { signal }))).toBe("Cancelled");
  });

  it("tells its caller that the storage is down, though the event is emptied; again mends it", async () => {
    const world = openWorld();
    await bringTo.Pending(world);
    once(world, "invites.replace", down);
    expect(codeOf(await revokeZoe(world))).toBe("PortBroken");
    expect([lifeOf(world), pendingTokens(world)]).toEqual(["Pending", []]);
    expect(must(await revokeZoe(world))).toEqual(tokenless);
    expect(lifeOf(world)).toBe("Revoked");
  });
});

describe("by address, while the invite is on its way", () => {
  const revokeMeanwhile = (world: World) => async (): Promise<void> => {
    must(await revokeZoe(world));
  };

  it.each(["before", "after"] as const)(
    "while store-invite is under way (%s the mail goes out) → its token never comes into the room",
    async (when) => {
      const world = openWorld();
      during(world, "identityServer.storeInvite", when, revokeMeanwhile(world));
      // Asking again by itself would invite anew whoever was uninvited just now: no 429.
      expect(problemOf(await inviteZoe(world))).toMatchObject({ code: "InviteRevoked", status: 403 });
      expect(world.mails).toHaveLength(1);
      expect([lifeOf(world), pendingTokens(world), world.appended]).toEqual(["Revoked", [], []]);
    },
  );

  it("while a resend asks → neither token is pending", async () => {
    const world = openWorld();
    await bringTo.Pending(world);
    during(world, "identityServer.storeInvite", "after", revokeMeanwhile(world));
    expect(codeOf(await inviteZoe(world, { resend: true }))).not.toBe("right");
    expect([lifeOf(world), pendingTokens(world)]).toEqual(["Revoked", []]);
    expect(world.stateAt("m.room.third_party_invite", "token2")).toBeUndefined();
  });

  it.each(["before", "after"] as const)(
    "while the append is under way (%s it was carried out) → the token is emptied",
    async (when) => {
      const world = openWorld();
      during(world, "events.append", when, revokeMeanwhile(world));
      await inviteZoe(world);
      expect([lifeOf(world), pendingTokens(world)]).toEqual(["Revoked", []]);
      expect(world.stateAt("m.room.third_party_invite", "token1")?.content).toEqual({});
    },
  );

  it("while an append is under way that a conflict holds up", async () => {
    const world = openWorld();
    world.next.append.push({ _tag: "Conflict" });
    during(world, "events.append", "after", revokeMeanwhile(world));
    await inviteZoe(world);
    expect([lifeOf(world), pendingTokens(world)]).toEqual(["Revoked", []]);
  });

  it("asked for anew, and the answer to that is lost: the late event of the revoked one is emptied all the same", async () => {
    const world = openWorld();
    during(world, "events.append", "before", async () => {
      must(await revokeZoe(world));
      await bringTo.Asked(world);
    });
    await inviteZoe(world);
    expect([lifeOf(world), pendingTokens(world)]).toEqual(["Asked", []]);
  });

  it("a lost race is repeated: appended and noted between the look at the room and the note", async () => {
    const world = openWorld();
    await bringTo.TokenStored(world);
    // First replace: that of the revocation.
    during(world, "invites.replace", "before", async () => {
      must(await inviteZoe(world));
      expect([lifeOf(world), pendingTokens(world)]).toEqual(["Pending", ["token1"]]);
    });
    expect(must(await revokeZoe(world))).toMatchObject({ _tag: "Revoke", events: [{ state_key: "token1" }] });
    expect([lifeOf(world), pendingTokens(world)]).toEqual(["Revoked", []]);
  });

  it("a race that is lost again and again ends as InviteInProgress", async () => {
    const world = openWorld();
    await bringTo.Pending(world);
    world.intercept = (call, perform) =>
      call.name === "invites.replace" ? Promise.resolve({ _tag: "Stale" }) : perform();
    world.calls.length = 0;
    expect(problemOf(await revokeZoe(world))).toMatchObject({ code: "InviteInProgress", status: 429 });
    expect(world.count("invites.replace")).toBe(5);
  });

  it("redeemed meanwhile → AlreadyRedeemed", async () => {
    const world = openWorld();
    await bringTo.Pending(world);
    during(world, "invites.replace", "before", () => redeem(world));
    expect(must(await revokeZoe(world))).toEqual({ _tag: "AlreadyRedeemed", by: bob, events: [] });
    expect(lifeOf(world)).toBe("Redeemed");
  });

  it("two at the same time → one event, and both are told that it is done", async () => {
    const world = openWorld();
    await bringTo.Pending(world);
    world.appended.length = 0;
    const outcomes = (await Promise.all([revokeZoe(world), revokeZoe(world)])).map((one) => must(one)._tag);
    expect(outcomes.every((tag) => tag === "Revoke" || tag === "AlreadyRevoked")).toBe(true);
    expect(world.appended).toHaveLength(1);
    expect(lifeOf(world)).toBe("Revoked");
  });

  it("while it expires → ended once, nothing is pending", async () => {
    const world = openWorld();
    await bringTo.Pending(world);
    const [revoked, expired] = await Promise.all([revokeZoe(world), expireAll(world)]);
    must(revoked);
    must(expired);
    expect(pendingTokens(world)).toEqual([]);
    expect(["Revoked", "Expired"]).toContain(lifeOf(world));
  });
});

it("a user who has left cannot come back by the proof once the inviter has revoked by address", async () => {
  const world = openWorld();
  await bringTo.Redeemed(world);
  world.join(bob, "leave");
  must(await revokeZoe(world));
  expect(pendingTokens(world)).toEqual([]);
});
