import { describe, expect, it } from "vitest";
import {
  ask,
  bothMayInvite,
  bringLate,
  bringTo,
  down,
  during,
  lifeOf,
  once,
  redeemedElsewhere,
  pendingTokens,
  theRecord,
} from "./lives.js";
import { type World, openWorld, pend, storedAnswer } from "./ports.js";
import { alice, anna, bob, carol, codeOf, invite, must, problemOf, room, signedBy } from "./samples.js";

const note = (world: World, event: object = redeemedElsewhere()) =>
  world.invites.noteRedeemed({ roomId: room, event });

it.each(["Pending", "TokenStored", "TokenStored, its note lost", "Asked for a resend"] as const)(
  "notes who redeemed an invite that is %s",
  async (place) => {
    const world = openWorld();
    await bringTo[place](world);
    expect(must(await note(world))).toBe(true);
    expect(theRecord(world).life).toEqual({ _tag: "Redeemed", by: bob, tokens: ["token1"] });
  },
);

it("touches neither the room nor anybody else: only the storage is asked", async () => {
  const world = openWorld();
  await bringTo.Pending(world);
  world.calls.length = 0;
  must(await note(world));
  expect(world.names()).toEqual(["invites.findByToken", "invites.replace"]);
  expect(pendingTokens(world)).toEqual(["token1"]);
});

it("by an earlier token, which came late: the invite is redeemed, whichever it was", async () => {
  const world = openWorld();
  await bringLate(world);
  expect(must(await note(world, redeemedElsewhere("token1")))).toBe(true);
  expect(theRecord(world).life).toEqual({ _tag: "Redeemed", by: bob, tokens: ["token2", "token1"] });
});

it("an earlier token that is emptied is none of the invite's any more", async () => {
  const world = openWorld();
  await bringTo.Pending(world);
  must(await ask(world, { resend: true }));
  expect(must(await note(world, redeemedElsewhere("token1")))).toBe(false);
  expect(lifeOf(world)).toBe("Pending");
});

it("twice, or by somebody else afterwards: the first counts", async () => {
  const world = openWorld();
  await bringTo.Pending(world);
  expect(must(await note(world))).toBe(true);
  expect(must(await note(world))).toBe(false);
  expect(must(await note(world, redeemedElsewhere("token1", carol)))).toBe(false);
  expect(theRecord(world).life).toMatchObject({ _tag: "Redeemed", by: bob });
});

it.each(["Revoked", "Expired"] as const)("what is %s stays so", async (place) => {
  const world = openWorld();
  await bringTo[place](world);
  expect(must(await note(world))).toBe(false);
  expect(lifeOf(world)).toBe(place);
});

it("ends a resend that is under way: its token is not appended", async () => {
  const world = openWorld();
  await bringTo.Pending(world);
  during(world, "identityServer.storeInvite", "after", () => note(world));
  expect(codeOf(await ask(world, { resend: true }))).not.toBe("right");
  expect(lifeOf(world)).toBe("Redeemed");
  expect(pendingTokens(world)).toEqual(["token1"]);
});

describe("answers false, and changes nothing", () => {
  const honest = redeemedElsewhere();
  const content = (more: object) => ({ ...honest, content: { ...honest.content, ...more } });
  it.each<readonly [string, unknown]>([
    ["the event of another sender", redeemedElsewhere("token1", bob, anna)],
    ["of a sender who says that they redeemed it themselves", redeemedElsewhere("token1", bob, bob)],
    ["another token", redeemedElsewhere("token7")],
    ["a token of odd text", content({ third_party_invite: { signed: { token: "\0\ud800" } } })],
    ["a join that carries the proof on", content({ membership: "join" })],
    ["a leave", content({ membership: "leave" })],
    ["no membership", content({ membership: undefined })],
    ["a plain invite", { ...honest, content: { membership: "invite" } }],
    ["no signed", content({ third_party_invite: { display_name: "z" } })],
    ["a token that is no text", content({ third_party_invite: { signed: { token: 7 } } })],
    ["a state key that is no user", { ...honest, state_key: "bob" }],
    ["no state key", { ...honest, state_key: undefined }],
    ["no content", { ...honest, content: undefined }],
    ["no event", null],
    ["a text", "event"],
    ["an array", [honest]],
  ])("%s", async (_, event) => {
    const world = openWorld();
    await bringTo.Pending(world);
    expect(must(await note(world, event as object))).toBe(false);
    expect(lifeOf(world)).toBe("Pending");
  });

  it("an event of another type, whatever it holds", async () => {
    const world = openWorld();
    await bringTo.Pending(world);
    expect(must(await note(world, { ...honest, type: "org.example.member" }))).toBe(false);
    expect(must(await note(world, { ...honest, type: undefined }))).toBe(false);
    expect(lifeOf(world)).toBe("Pending");
  });

  it("an event of another room", async () => {
    const world = openWorld();
    await bringTo.Pending(world);
    const other = await world.invites.noteRedeemed({ roomId: "!other", event: honest });
    expect([must(other), lifeOf(world)]).toEqual([false, "Pending"]);
  });

  it("without asking the storage, where there is no token", async () => {
    const world = openWorld();
    must(await note(world, content({ third_party_invite: undefined })));
    expect(world.calls).toEqual([]);
  });
});

it("somebody who takes the token over and is redeemed has not redeemed ours", async () => {
  const world = openWorld();
  await bringTo.Pending(world);
  pend(world, "token1", { sender: carol });
  expect(must(await note(world, redeemedElsewhere("token1", bob, carol)))).toBe(false);
  expect(lifeOf(world)).toBe("Pending");
});

it("a lost race is repeated: the note of the append comes between", async () => {
  const world = openWorld();
  await bringTo["TokenStored, its note lost"](world);
  during(world, "invites.replace", "before", () => ask(world));
  expect(must(await note(world))).toBe(true);
  expect(theRecord(world).life).toMatchObject({ _tag: "Redeemed", by: bob });
});

describe("what was redeemed here is noted by itself", () => {
  const redeemHere = (world: World) =>
    world.invites.redeemThirdPartySigned({
      roomId: room,
      requester: { userId: bob },
      thirdPartySigned: signedBy(bob, "token1", undefined, { sender: alice }),
    });

  it.each(["Pending", "TokenStored, its note lost", "Asked for a resend"] as const)("%s", async (place) => {
    const world = openWorld();
    await bringTo[place](world);
    expect(must(await redeemHere(world))._tag).toBe("Redeemed");
    expect(theRecord(world).life).toMatchObject({ _tag: "Redeemed", by: bob });
  });

  it("also where the note of the append comes between", async () => {
    const world = openWorld();
    await bringTo["TokenStored, its note lost"](world);
    during(world, "invites.replace", "before", () => ask(world));
    must(await redeemHere(world));
    expect(theRecord(world).life).toMatchObject({ _tag: "Redeemed", by: bob });
  });

  it("but not if the event was sent by somebody who took the token over", async () => {
    const world = openWorld();
    await bringTo.Pending(world);
    pend(world, "token1", { sender: anna });
    const theirs = signedBy(bob, "token1", undefined, { sender: anna });
    const requester = { userId: bob };
    must(await world.invites.redeemThirdPartySigned({ roomId: room, requester, thirdPartySigned: theirs }));
    expect(world.appended.at(-1)).toMatchObject({ type: "m.room.member", sender: anna });
    expect(lifeOf(world)).toBe("Pending");
  });
});

it("a race that is lost again and again says so", async () => {
  const world = openWorld();
  await bringTo.Pending(world);
  world.intercept = (call, perform) =>
    call.name === "invites.replace" ? Promise.resolve({ _tag: "Stale" }) : perform();
  expect(problemOf(await note(world))).toMatchObject({ code: "InviteInProgress", status: 429 });
  expect(lifeOf(world)).toBe("Pending");
});

it("says that the storage is down, so that the host can tell it again", async () => {
  for (const name of ["invites.findByToken", "invites.replace"]) {
    const world = openWorld();
    await bringTo.Pending(world);
    once(world, name, down);
    expect(problemOf(await note(world))).toMatchObject({ _tag: "PortFailure", code: "PortBroken" });
    expect(must(await note(world))).toBe(true);
  }
});

it("refuses a room ID that is none", async () => {
  const { invites } = openWorld();
  expect(codeOf(await invites.noteRedeemed({ roomId: "garden", event: redeemedElsewhere() }))).toBe(
    "FieldMalformed",
  );
});

it("stops where the caller does", async () => {
  const world = openWorld();
  await bringTo.Pending(world);
  const run = world.invites.noteRedeemed(
    { roomId: room, event: redeemedElsewhere() },
    { signal: AbortSignal.abort() },
  );
  expect(codeOf(await run)).toBe("Cancelled");
  expect(lifeOf(world)).toBe("Pending");
});

it("is the sender's own invite, where an identity server gave two of them one token", async () => {
  const world = openWorld(bothMayInvite);
  world.join(anna);
  const hers = { requester: { userId: anna }, body: invite({ id_server: "other.example" }) };
  once(world, "events.append", async (perform) => {
    world.next.storeInvite.push({ _tag: "Stored", answer: storedAnswer("token1") });
    // That it is Alice's already cannot be looked up just now.
    world.intercept = (call, go) =>
      call.name === "invites.findByToken" ? Promise.reject(new Error("down")) : go();
    must(await ask(world, hers));
    world.intercept = undefined;
    return perform();
  });
  // Hers came into the room first.
  expect(codeOf(await ask(world))).toBe("InvitedAlready");
  expect(must(await note(world, redeemedElsewhere("token1", bob, anna)))).toBe(true);
  expect([...world.records.values()].map(({ value }) => [value.sender, value.life._tag])).toEqual([
    [alice, "TokenStored"],
    [anna, "Redeemed"],
  ]);
});
