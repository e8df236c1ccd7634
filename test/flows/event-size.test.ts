import type { InviteCommand } from "matrix-third-party-invites";
import type { JsonObject } from "matrix-third-party-invites/ports";
import { describe, expect, it } from "vitest";
import { ask } from "./lives.js";
import { type World, openWorld, owe, pend, storedAnswer } from "./ports.js";
import { address, alice, anna, bob, codeOf, longTerm, must, problemOf, room, signedBy } from "./samples.js";

describe("an invite whose event is too large for a room", () => {
  const long = "x".repeat(70_000);
  const byUserId = (more: JsonObject = {}) => ({ user_id: bob, ...more });

  const cases: readonly (readonly [string, Partial<InviteCommand>, (world: World) => unknown])[] = [
    ["a reason of the client's", { body: byUserId({ reason: long }) }, () => undefined],
    ["a reason that the host adds", { body: byUserId(), details: { reason: long } }, () => undefined],
    [
      "a reason whose characters have several bytes",
      { body: byUserId({ reason: "ß".repeat(30_000) }) },
      () => undefined,
    ],
    [
      "a reason whose characters must be escaped",
      { body: byUserId({ reason: "\u0001".repeat(10_000) }) },
      () => undefined,
    ],
    [
      "a display name in the profile",
      { body: byUserId() },
      (world) => world.users.set(bob, { profile: { displayname: long } }),
    ],
    [
      "by address, to a user who is known",
      { details: { reason: long } },
      (world) => world.bound.set(address, bob),
    ],
    [
      "by address, after an in-use answer",
      { details: { reason: long } },
      (world) => world.next.storeInvite.push({ _tag: "AlreadyBound", userId: bob }),
    ],
  ];

  it.each(cases)("%s: EventTooLarge, and no append", async (_, command, prepare) => {
    const world = openWorld();
    prepare(world);
    const problem = problemOf(await ask(world, command));
    expect(problem).toMatchObject({
      _tag: "Refusal",
      code: "EventTooLarge",
      errcode: "M_TOO_LARGE",
      status: 413,
    });
    expect([world.count("events.append"), world.appended]).toEqual([0, []]);
    expect(world.observed).toEqual([{ _tag: "Refused", code: "EventTooLarge", flow: "invite" }]);
  });

  /** Of the content beside the characters of the reason. */
  const frame = Buffer.byteLength(JSON.stringify({ membership: "invite", reason: "" }));

  it.each([
    [60_000, "Invite"],
    [60_001, "EventTooLarge"],
  ])("a content of %i bytes: %s", async (bytes, what) => {
    const world = openWorld();
    const result = await ask(world, { body: byUserId({ reason: "x".repeat(bytes - frame) }) });
    expect(what === "Invite" ? must(result)._tag : codeOf(result)).toBe(what);
    expect(world.count("events.append")).toBe(what === "Invite" ? 1 : 0);
  });

  it("of an identity server's answer: its mail is out, and no event is appended, now or when asked again", async () => {
    const world = openWorld();
    const public_keys = Array.from({ length: 15 }, (_, nth) => ({
      public_key: longTerm.publicKey,
      // As long as a URL may be, of characters with three bytes.
      key_validity_url: `https://id.example/${"€".repeat(2_000)}${nth}`,
    }));
    world.next.storeInvite.push({ _tag: "Stored", answer: storedAnswer("t1", { public_keys }) });
    for (let time = 0; time < 2; time += 1) expect(codeOf(await ask(world))).toBe("EventTooLarge");
    expect([world.count("identityServer.storeInvite"), world.count("events.append")]).toEqual([1, 0]);
    // Another mail, with an answer that a room takes, mends it.
    expect(must(await ask(world, { resend: true }))._tag).toBe("ThirdPartyInvite");
  });

  it("of the details of an invite by address: refused before anybody is asked, since their event comes with the proof", async () => {
    const world = openWorld();
    const result = await ask(world, { details: { reason: "x".repeat(30_000) } });
    expect(codeOf(result)).toBe("EventTooLarge");
    expect([world.names(), world.mails]).toEqual([[], []]);
  });

  it.each<[string, Partial<InviteCommand>]>([
    ["in the body", { body: byUserId({ reason: "\ud83d" }) }],
    ["of the host's, by user ID", { body: byUserId(), details: { reason: "\ud83d" } }],
    ["of the host's, by address", { details: { reason: "\ud83d" } }],
  ])("half a surrogate pair in a reason is malformed, before a mail is out: %s", async (_, command) => {
    const world = openWorld();
    expect(problemOf(await ask(world, command))).toMatchObject({
      code: "FieldMalformed",
      errcode: "M_INVALID_PARAM",
      status: 400,
    });
    expect([world.mails, world.appended]).toEqual([[], []]);
  });

  it("of a proof: a redemption from another server is refused before a key is asked after", async () => {
    const world = openWorld();
    pend(world, "t1");
    const signed = signedBy(bob, "t1", longTerm, { more: "x".repeat(60_000) });
    const content = { membership: "invite", third_party_invite: { signed } };
    const event = { type: "m.room.member", room_id: room, sender: alice, state_key: bob, content };
    const result = await world.invites.receiveExchange({ roomId: room, origin: "b.example", body: event });
    expect(problemOf(result)).toMatchObject({ code: "EventTooLarge", status: 413 });
    expect(world.names()).toEqual(["invites.findByToken", "rooms.snapshot"]);
  });

  it("of a proof in the queue: the row is dead, with the reason", async () => {
    const world = openWorld();
    pend(world, "t1");
    const signed = signedBy(anna, "t1", longTerm, { more: "x".repeat(60_000) });
    await owe(world, { sender: alice, signed });
    expect(must(await world.invites.deliverOwed())).toMatchObject({ dead: 1 });
    expect(world.rows()[0]?.state).toMatchObject({ _tag: "Dead", reason: "EventTooLarge", status: 413 });
    expect(world.count("events.append")).toBe(0);
  });
});
