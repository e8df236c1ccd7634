import { type Config, createThirdPartyInvites } from "matrix-third-party-invites";
import { parseUserId } from "matrix-third-party-invites/matrix";
import type { JsonObject, UserId } from "matrix-third-party-invites/ports";
import { describe, expect, it } from "vitest";
import { type ValidityAnswer, type World, openWorld, owe, pend, waitingIn } from "./ports.js";
import {
  alice,
  anna,
  bob,
  ephemeral,
  ephemeralUrl,
  invite,
  longTerm,
  must,
  pendingContent,
  problemOf,
  room,
  signedBy,
  stranger,
  urlFor,
  validityUrl,
} from "./samples.js";

/** Of this server, and owed an invite. */
const zoe = anna;
const token = "t1";

interface Scene {
  readonly sender?: UserId;
  readonly resident?: boolean;
  readonly content?: JsonObject;
  readonly config?: Partial<Config>;
}

/** One row owed for an invite that `sender` has pending in the room. */
const openOwed = async ({
  sender = bob,
  resident = true,
  content,
  config = {},
}: Scene = {}): Promise<World> => {
  const world = openWorld({ resident, config });
  pend(world, token, { sender, ...(content === undefined ? {} : { content }) });
  await owe(world, { sender });
  return world;
};

const deliver = async (world: World) => must(await world.invites.deliverOwed());

/** The same from another process, which does not join a call that runs in this one. */
const deliverElsewhere = async (world: World) =>
  must(await createThirdPartyInvites(world.ports).deliverOwed());

const memberEvent = (sender: string, more: JsonObject = {}) => ({
  type: "m.room.member",
  room_id: room,
  sender,
  state_key: zoe,
  content: {
    membership: "invite",
    ...more,
    third_party_invite: { display_name: "zo...@ex...", signed: signedBy(zoe, token) },
  },
});

const exchanges = (world: World): readonly unknown[] =>
  world.calls.filter(({ name }) => name.startsWith("federation.")).map(({ args }) => args[0]);

describe("who makes the invite", () => {
  it("the sender is ours and we are in the room → we do, and never an exchange with ourselves", async () => {
    const world = await openOwed({ sender: alice });
    expect(await deliver(world)).toEqual({ done: 1, dead: 0, again: 0, nextDueAt: undefined });
    expect(world.appended).toEqual([memberEvent(alice)]);
    expect(exchanges(world)).toEqual([]);
    expect(world.rows()[0]?.state).toEqual({ _tag: "Redeemed", endedAt: world.now });
    expect(world.observed).toEqual([{ _tag: "Redeemed", roomId: room, target: zoe }]);
  });

  it("the sender is another server's → that server first, even when we are in the room", async () => {
    const world = await openOwed();
    world.next.exchange.push({ _tag: "Accepted" });
    expect(await deliver(world)).toMatchObject({ done: 1 });
    expect(exchanges(world)).toEqual([
      {
        destination: "b.example",
        timeoutMs: 30_000,
        roomId: room,
        body: {
          type: "m.room.member",
          room_id: room,
          sender: bob,
          state_key: zoe,
          content: { membership: "invite", third_party_invite: { signed: signedBy(zoe, token) } },
        },
      },
    ]);
    expect(world.appended).toEqual([]);
    expect(world.count("identityServer.keyValidity")).toBe(0);
  });

  it.each([
    ["of this server", alice],
    ["of another server", bob],
  ])("the user blocks the sender → nobody makes it, and nobody is asked: a sender %s", async (_, sender) => {
    const world = await openOwed({ sender });
    const questions: unknown[] = [];
    world.intercept = ({ name, args: [question] }, perform) => {
      if (name !== "users.find") return perform();
      questions.push(question);
      return Promise.resolve({ _tag: "User", blocksInvites: true });
    };
    expect(await deliver(world)).toMatchObject({ dead: 1 });
    expect(questions).toEqual([{ userId: zoe, inviter: sender }]);
    expect(world.rows()[0]?.state).toMatchObject({ _tag: "Dead", reason: "InvitesBlocked" });
    expect([world.appended, exchanges(world), world.count("identityServer.keyValidity")]).toEqual([
      [],
      [],
      0,
    ]);
  });

  it("whether the user blocks the sender cannot be said now → later", async () => {
    const world = await openOwed({ sender: alice });
    world.intercept = ({ name }, perform) =>
      name === "users.find" ? Promise.reject(new Error("The database is down.")) : perform();
    expect(await deliver(world)).toMatchObject({ again: 1 });
    expect(world.appended).toEqual([]);
  });

  it("we are not in the room → the sender's server", async () => {
    const world = await openOwed({ resident: false });
    world.next.exchange.push({ _tag: "Accepted" });
    expect(await deliver(world)).toMatchObject({ done: 1 });
    expect(world.appended).toEqual([]);
  });

  it("the room's state is not complete → the sender's server", async () => {
    const world = await openOwed();
    world.intercept = (call, perform) =>
      call.name === "rooms.snapshot" ? Promise.resolve({ _tag: "Incomplete" }) : perform();
    world.next.exchange.push({ _tag: "Accepted" });
    expect(await deliver(world)).toMatchObject({ done: 1 });
  });

  it("the room's own word on the sender counts, not the delivery's", async () => {
    const world = openWorld();
    pend(world, token, { sender: bob });
    await owe(world, { sender: alice });
    world.next.exchange.push({ _tag: "Accepted" });
    expect(await deliver(world)).toMatchObject({ done: 1 });
    expect(exchanges(world)).toMatchObject([{ destination: "b.example", body: { sender: bob } }]);
  });

  it.each([
    ["cannot be reached", { _tag: "Unreachable" }],
    ["is overloaded", { _tag: "Refused", status: 503, errcode: "M_UNKNOWN" }],
    ["limits us", { _tag: "Refused", status: 429, errcode: "M_LIMIT_EXCEEDED" }],
    ["no longer has the room", { _tag: "Refused", status: 404, errcode: "M_NOT_FOUND" }],
  ] as const)("the sender's server %s and we are in the room → we do", async (_, answer) => {
    const world = await openOwed();
    world.next.exchange.push(answer);
    expect(await deliver(world)).toMatchObject({ done: 1 });
    expect(world.appended).toEqual([memberEvent(bob)]);
    expect(world.count("identityServer.keyValidity")).toBe(1);
  });

  it("the sender's server refuses twice, an hour apart → dead, though we are in the room", async () => {
    const world = await openOwed();
    const refused = { _tag: "Refused", status: 403, errcode: "M_FORBIDDEN" } as const;
    world.next.exchange.push(refused, refused);
    const dueAt = world.now + 3_600_000;
    expect(await deliver(world)).toEqual({ done: 0, dead: 0, again: 1, nextDueAt: dueAt });
    world.now = dueAt;
    expect(await deliver(world)).toEqual({ done: 0, dead: 1, again: 0, nextDueAt: undefined });
    // Its reason is kept, for whoever asks why.
    expect(world.rows()[0]?.state).toMatchObject({
      _tag: "Dead",
      reason: "ExchangeRefused",
      status: 403,
      errcode: "M_FORBIDDEN",
    });
    expect(world.appended).toEqual([]);
    expect(world.observed).toContainEqual({
      _tag: "RedemptionDead",
      roomId: room,
      target: zoe,
      code: "ExchangeRefused",
    });
  });

  const silence = { _tag: "Unreachable" } as const;

  it.each([
    ["an errcode that we do not know", { _tag: "Refused", status: 403, errcode: "ORG.EXAMPLE_REASON" }],
    ["its own refusal, said once", { _tag: "Refused", status: 403, errcode: "M_FORBIDDEN" }],
  ] as const)(
    "the sender's server forbids it (%s) and is silent then → waits, we do not make it",
    async (_, no) => {
      const world = await openOwed();
      world.next.exchange.push(no, silence);
      for (let calls = 0; calls < 8; calls += 1) {
        const { again, nextDueAt = 0 } = await deliver(world);
        expect(again).toBe(1);
        world.now = nextDueAt;
      }
      expect(exchanges(world).length).toBeGreaterThan(2);
      expect(world.appended).toEqual([]);
      // It is asked as before, and may change its mind.
      world.next.exchange.push({ _tag: "Accepted" });
      world.now += 3_600_000;
      expect(await deliver(world)).toMatchObject({ done: 1 });
    },
  );

  it("ours but we are out of the room → waits, and nobody is asked", async () => {
    const world = await openOwed({ sender: alice, resident: false });
    expect(await deliver(world)).toMatchObject({ again: 1 });
    expect(exchanges(world)).toEqual([]);
  });
});

describe("what waits (field case 16)", () => {
  it("comes back after twice as long each time, up to an hour, with jitter", async () => {
    const world = await openOwed({ resident: false });
    const failed = { _tag: "Refused", status: 500, errcode: "M_UNKNOWN" } as const;
    world.next.exchange.push(...Array.from({ length: 14 }, () => failed));
    const delays: number[] = [];
    for (let attempt = 0; attempt < 14; attempt += 1) {
      world.fraction = attempt % 2;
      const { again, nextDueAt } = await deliver(world);
      expect(again).toBe(1);
      expect(waitingIn(world)[0]?.attempts).toBe(attempt + 1);
      delays.push((nextDueAt ?? 0) - world.now);
      world.now = nextDueAt ?? 0;
    }
    const hour = 3_600_000;
    expect(delays).toEqual([
      ...Array.from({ length: 11 }, (_, attempt) => 2_000 * 2 ** attempt * (attempt % 2 === 0 ? 0.5 : 1)),
      hour,
      hour / 2,
      hour,
    ]);
  });

  it("comes back no sooner than the other server asked for", async () => {
    const world = await openOwed({ resident: false });
    world.fraction = 0;
    world.next.exchange.push({ _tag: "Unreachable", retryAfterMs: 999_000 });
    expect((await deliver(world)).nextDueAt).toBe(world.now + 999_000);
  });

  it("comes back within an hour and a bit, however long the other server wants it to wait", async () => {
    const world = await openOwed({ resident: false });
    world.next.exchange.push({ _tag: "Unreachable", retryAfterMs: 30 * 365 * 24 * 3_600_000 });
    await deliver(world);
    expect(waitingIn(world)[0]?.dueAt).toBeLessThanOrEqual(world.now + 1.1 * 3_600_000);
  });

  it("is not taken before it is due", async () => {
    const world = await openOwed({ resident: false });
    const { nextDueAt = 0 } = await deliver(world);
    world.now = nextDueAt - 1;
    expect(await deliver(world)).toEqual({ done: 0, dead: 0, again: 0, nextDueAt });
    expect(exchanges(world)).toHaveLength(1);
  });

  it("is given up when it is too old", async () => {
    const world = await openOwed({ resident: false, config: { redemptionAgeMs: 10_000 } });
    world.now += 9_999;
    expect(await deliver(world)).toMatchObject({ again: 1 });
    world.now += 4_000_000;
    expect(await deliver(world)).toMatchObject({ dead: 1 });
    expect(world.rows()[0]?.state).toMatchObject({ _tag: "Dead", reason: "Expired: ServerBackedOff" });
  });

  it.each([15, 3_650])("is not given up by a clock that is %s days ahead, or was behind", async (days) => {
    const leap = days * 24 * 3_600_000;
    for (const [stored, tried] of [
      [0, leap],
      [-leap, 0],
      [-leap, -leap],
    ] as const) {
      const world = openWorld();
      const { now } = world;
      world.now = now + stored;
      await owe(world, { sender: bob });
      world.now = now + tried;
      expect(await deliver(world)).toMatchObject({ again: 1 });
      world.now = now + 3_600_000;
      expect(await deliver(world)).toMatchObject({ again: 1 });
      world.now += 3_600_000;
      expect(await deliver(world)).toMatchObject({ again: 1 });
      pend(world, token, { sender: bob });
      world.now += 2 * 3_600_000;
      expect(await deliver(world)).toMatchObject({ done: 1 });
    }
  });

  it("is not given up by a clock that leaps while it is worked on", async () => {
    const world = openWorld();
    await owe(world, { sender: alice });
    const { now } = world;
    world.intercept = (call, perform) => {
      if (call.name === "rooms.snapshot") world.now = now + 15 * 24 * 3_600_000;
      return perform();
    };
    expect(await deliver(world)).toMatchObject({ again: 1, dead: 0 });
  });

  it("is not given up where the clock was years behind, and is right at the end of the work", async () => {
    const world = openWorld();
    const { now } = world;
    world.now = now - 366 * 24 * 3_600_000;
    await owe(world, { sender: alice });
    world.intercept = (call, perform) => {
      if (call.name === "rooms.snapshot") world.now = Math.max(world.now, now);
      return perform();
    };
    expect(await deliver(world)).toMatchObject({ again: 1, dead: 0 });
    world.now += 3_600_000;
    expect(await deliver(world)).toMatchObject({ again: 1, dead: 0 });
  });

  it("that a clock years behind saw refused is refused for the first time when the clock is right", async () => {
    const world = openWorld({ resident: false });
    const { now } = world;
    world.now = now - 366 * 24 * 3_600_000;
    await owe(world, { sender: bob });
    for (const [time, end] of [
      [world.now, { again: 1, dead: 0 }],
      [now, { again: 1, dead: 0 }],
      [now + 3_600_000, { again: 0, dead: 1 }],
    ] as const) {
      world.next.exchange.push({ _tag: "Refused", status: 403, errcode: "M_FORBIDDEN" });
      world.now = time;
      expect(await deliver(world)).toMatchObject(end);
    }
  });

  it("that was redeemed is not forgotten by a clock that leaps, but by one that has gone on for an hour", async () => {
    const world = openWorld();
    pend(world, token, { sender: alice });
    await owe(world, { sender: alice });
    expect(await deliver(world)).toMatchObject({ done: 1 });
    const redeemed = () => world.rows().filter(({ state }) => state._tag === "Redeemed").length;
    for (const [minutes, left] of [
      [0, 1],
      [30, 1],
      [61, 0],
    ] as const) {
      world.now += minutes === 0 ? 2 * 365 * 24 * 3_600_000 : 30.5 * 60_000;
      await owe(world, { token: `t${minutes}`, sender: alice });
      await deliver(world);
      expect(redeemed(), `${minutes} minutes after the leap`).toBe(left);
    }
  });

  it("has no age from a time to come: what a clock years ahead has noted ends in a fortnight", async () => {
    const world = openWorld();
    const { now } = world;
    world.now = now + 3_650 * 24 * 3_600_000;
    await owe(world, { sender: alice });
    world.now = now;
    for (let hours = 0; hours < 15 * 24; hours += 6) {
      world.now = now + hours * 3_600_000;
      expect(await deliver(world)).toMatchObject(hours > 14 * 24 ? {} : { dead: 0 });
    }
    expect(world.rows()[0]?.state).toMatchObject({ _tag: "Dead", reason: "Expired: TokenUnknown" });
  });

  it("that was refused once is not given up by one look of a clock that is ahead", async () => {
    const world = await openOwed({ resident: false });
    world.next.exchange.push({ _tag: "Refused", status: 403, errcode: "M_FORBIDDEN" });
    expect(await deliver(world)).toMatchObject({ again: 1 });
    const { now } = world;
    world.now += 15 * 24 * 3_600_000;
    expect(await deliver(world)).toMatchObject({ again: 1, dead: 0 });
    world.now = now + 2 * 3_600_000;
    world.next.exchange.push({ _tag: "Accepted" });
    expect(await deliver(world)).toMatchObject({ done: 1 });
  });

  it("even when old is delivered if it can be", async () => {
    const world = await openOwed({ sender: alice, config: { redemptionAgeMs: 10_000 } });
    world.now += 1_000_000;
    expect(await deliver(world)).toMatchObject({ done: 1 });
  });

  it.each([alice, bob])("a token that the room does not have (sender %s)", async (sender) => {
    const world = openWorld();
    await owe(world, { sender });
    expect(await deliver(world)).toMatchObject({ again: 1, dead: 0 });
    expect(exchanges(world)).toHaveLength(sender === bob ? 1 : 0);
    pend(world, token, { sender });
    world.now += 3_600_000;
    expect(await deliver(world)).toMatchObject({ done: 1 });
  });
});

describe("what our own view of the room decides for good, without asking anybody", () => {
  const table: readonly (readonly [string, string, (world: World) => unknown])[] = [
    [
      "emptied",
      "InviteRevoked",
      (w) => {
        pend(w, token, { sender: bob, content: {} });
      },
    ],
    [
      "banned",
      "TargetBanned",
      (w) => {
        w.join(zoe, "ban");
      },
    ],
    ["signed by a stranger", "NotProven", (w) => owe(w, { signed: signedBy(zoe, token, stranger) })],
    ["signed for another", "NotProven", (w) => owe(w, { signed: { ...signedBy(bob, token), mxid: zoe } })],
  ];

  it.each(table)("%s → dead with the reason", async (_, reason, prepare) => {
    const world = openWorld();
    pend(world, token, { sender: bob });
    await prepare(world);
    if (world.rows().length === 0) await owe(world);
    expect(await deliver(world)).toMatchObject({ dead: 1, nextDueAt: undefined });
    expect(world.rows()[0]?.state).toMatchObject({ _tag: "Dead", reason });
    expect(exchanges(world)).toEqual([]);
    expect(world.appended).toEqual([]);
  });

  it.each([
    [
      "joined already (field case 3)",
      (w: World) => {
        w.join(zoe);
      },
    ],
    [
      "invited by this token",
      (w: World) => {
        w.put({ type: "m.room.member", key: zoe, content: memberEvent(bob).content });
      },
    ],
  ])("%s → done, and no event", async (_, prepare) => {
    const world = await openOwed();
    prepare(world);
    expect(await deliver(world)).toMatchObject({ done: 1 });
    expect(exchanges(world)).toEqual([]);
    expect(world.appended).toEqual([]);
  });

  it("a token made again by somebody else does not count as the room's word (redacted) → dead", async () => {
    const world = await openOwed({ content: { display_name: "z" } });
    expect(await deliver(world)).toMatchObject({ dead: 1 });
  });
});

it("a batch good + revoked + unreachable → done, dead, again (field case 4)", async () => {
  const world = openWorld();
  pend(world, "good", { sender: alice });
  pend(world, "revoked", { sender: alice, content: {} });
  await owe(world, { token: "good", sender: alice });
  await owe(world, { token: "revoked", sender: alice });
  await owe(world, { token: "far", sender: bob });
  const result = await deliver(world);
  expect(result).toMatchObject({ done: 1, dead: 1, again: 1 });
  expect(result.nextDueAt).toBeGreaterThan(world.now);
  expect(world.rows().map(({ state }) => state._tag)).toEqual(["Redeemed", "Dead", "Waiting"]);
});

it("a token that was redeemed is remembered: a replay of its proof does not invite a user who was kicked", async () => {
  const world = await openOwed({ sender: alice });
  expect(await deliver(world)).toMatchObject({ done: 1 });
  world.join(zoe, "leave");
  // The same proof in another spelling of the delivery, and one that was stored beside it.
  await owe(world, { sender: alice, signed: { ...signedBy(zoe, token), more: 1 } });
  await owe(world, { sender: alice, signed: signedBy(zoe, token, ephemeral) });
  expect(await deliver(world)).toMatchObject({ done: 2 });
  expect(world.appended).toHaveLength(1);
  expect(world.rows().map(({ state }) => state._tag)).toEqual(["Redeemed", "Done", "Done"]);
});

it("takes no more rows at once than it is asked to", async () => {
  const world = openWorld();
  for (let row = 0; row < 30; row += 1) {
    pend(world, `t${row}`, { sender: alice });
    await owe(world, { token: `t${row}`, sender: alice, mxid: must(parseUserId(`@user${row}:a.example`)) });
  }
  expect(must(await world.invites.deliverOwed({ limit: 20 }))).toMatchObject({
    done: 20,
    nextDueAt: world.now,
  });
  expect(must(await world.invites.deliverOwed({ limit: 20 }))).toMatchObject({
    done: 10,
    nextDueAt: undefined,
  });
});

describe("the validity of the keys that signed", () => {
  const both = signedBy(zoe, token);
  const longTermAt = urlFor(validityUrl, longTerm.publicKey);
  const ephemeralAt = urlFor(ephemeralUrl, ephemeral.publicKey);
  const yes: ValidityAnswer = { _tag: "Validity", valid: true };
  const no: ValidityAnswer = { _tag: "Validity", valid: false };
  const silence: ValidityAnswer = { _tag: "Unreachable", sent: true };
  /** Signed by the long-term and by the ephemeral key. */
  const signed = {
    ...both,
    signatures: {
      "id.example": { "ed25519:0": signatureIn(both) },
      "other.example": { "ed25519:0": signatureIn(signedBy(zoe, token, ephemeral)) },
    },
  };

  const openSigned = async (answers: readonly [ValidityAnswer, ValidityAnswer]): Promise<World> => {
    const world = openWorld();
    pend(world, token);
    await owe(world, { sender: alice, signed });
    world.validity.set(longTermAt, answers[0]);
    world.validity.set(ephemeralAt, answers[1]);
    return world;
  };

  it.each([
    ["the first is valid", [yes, no], "Redeemed", 1],
    ["the second is valid", [no, yes], "Redeemed", 2],
    ["the second is valid, the first unknown", [silence, yes], "Redeemed", 2],
    ["both are revoked", [no, no], "Dead", 2],
    ["one is revoked, the other unknown", [no, silence], "Waiting", 2],
    ["one is unknown, the other revoked", [silence, no], "Waiting", 2],
    ["both are unknown", [silence, { _tag: "Malformed" }], "Waiting", 2],
  ] as const)("%s", async (_, answers, state, asked) => {
    const world = await openSigned(answers);
    await deliver(world);
    expect(world.rows()[0]?.state._tag).toBe(state);
    expect(world.count("identityServer.keyValidity")).toBe(asked);
    expect(world.appended).toHaveLength(state === "Redeemed" ? 1 : 0);
    if (state === "Dead")
      expect(world.rows()[0]?.state).toMatchObject({ _tag: "Dead", reason: "KeyRevoked" });
  });

  it("a key without URL is valid for ever, and nobody is asked", async () => {
    const world = openWorld();
    pend(world, token, { content: { display_name: "z", public_key: longTerm.publicKey } });
    await owe(world, { sender: alice });
    expect(await deliver(world)).toMatchObject({ done: 1 });
    expect(world.count("identityServer.keyValidity")).toBe(0);
  });

  it.each(["http://id.example/isvalid", "", 7, null])(
    "nobody can vouch for a key whose URL is %o",
    async (url) => {
      const world = openWorld();
      pend(world, token, { content: { public_key: longTerm.publicKey, key_validity_url: url } });
      await owe(world, { sender: alice });
      expect(await deliver(world)).toMatchObject({ dead: 1 });
      expect(world.count("identityServer.keyValidity")).toBe(0);
    },
  );

  it("the URL carries the exact key string, percent-encoded (field case 13)", async () => {
    const standard = longTerm.publicKey;
    const urlSafe = standard.replaceAll("+", "-").replaceAll("/", "_");
    for (const written of [standard, urlSafe, `${standard}=`]) {
      for (const [url, separator] of [
        [validityUrl, "?"],
        [`${validityUrl}?a=b`, "&"],
      ] as const) {
        const world = openWorld();
        pend(world, token, { content: { public_key: written, key_validity_url: url } });
        await owe(world, { sender: alice });
        expect(await deliver(world)).toMatchObject({ done: 1 });
        const asked = world.calls.filter(({ name }) => name === "identityServer.keyValidity");
        expect(asked.map(({ args }) => args[0])).toEqual([
          `${url}${separator}public_key=${encodeURIComponent(written)}`,
        ]);
      }
    }
    expect(standard).toMatch(/[+/]/);
  });

  it("a port that breaks leaves the key unknown", async () => {
    const world = await openSigned([yes, yes]);
    world.intercept = (call, perform) =>
      call.name === "identityServer.keyValidity" ? Promise.reject(new Error("broken")) : perform();
    expect(await deliver(world)).toMatchObject({ again: 1 });
  });

  it("a hostile event cannot make more than eight requests", async () => {
    const world = openWorld();
    const public_keys = Array.from({ length: 500 }, (_, index) => ({
      public_key: longTerm.publicKey,
      key_validity_url: `https://id.example/${index}`,
    }));
    pend(world, token, { content: { public_keys } });
    await owe(world, { sender: alice });
    for (const { key_validity_url } of public_keys)
      world.validity.set(urlFor(key_validity_url, longTerm.publicKey), silence);
    expect(await deliver(world)).toMatchObject({ again: 1 });
    expect(world.count("identityServer.keyValidity")).toBe(8);
  });
});

function signatureIn(signed: JsonObject): unknown {
  return Object.values(Object.values(signed["signatures"] as Record<string, JsonObject>)[0] ?? {})[0];
}

it("several tokens for one user in one room: nothing is lost, however the appends contend", async () => {
  const world = openWorld();
  for (let row = 0; row < 10; row += 1) {
    pend(world, `t${row}`, { sender: alice });
    await owe(world, { token: `t${row}`, sender: alice });
  }
  for (let calls = 0; calls < 5; calls += 1) {
    await deliver(world);
    world.now += 3_600_000;
  }
  expect(world.rows().every(({ state }) => state._tag === "Redeemed")).toBe(true);
});

describe("what the inviter said beside the invite", () => {
  it("is_direct and the reason are in the member event, and the record says who came", async () => {
    const world = openWorld();
    must(
      await world.invites.invite({
        roomId: room,
        requester: { userId: alice },
        body: invite(),
        details: { isDirect: true, reason: "Tea?" },
      }),
    );
    await owe(world, { token: "token1", sender: alice });
    expect(await deliver(world)).toMatchObject({ done: 1 });
    expect(world.appended.at(-1)?.content).toEqual({
      membership: "invite",
      is_direct: true,
      reason: "Tea?",
      third_party_invite: {
        display_name: pendingContent()["display_name"],
        signed: signedBy(zoe, "token1"),
      },
    });
    expect([...world.records.values()].map(({ value }) => value.life)).toMatchObject([
      { _tag: "Redeemed", by: zoe },
    ]);
  });
});

describe("the append", () => {
  it.each([
    ["Conflict for a while", { _tag: "Conflict" }, "Redeemed"],
    ["Refused with 403", { _tag: "Refused", status: 403, errcode: "M_FORBIDDEN" }, "Dead"],
    ["Refused with 500", { _tag: "Refused", status: 500, errcode: "M_UNKNOWN" }, "Waiting"],
    ["Unavailable", { _tag: "Unavailable" }, "Waiting"],
  ] as const)("%s", async (_, answer, state) => {
    const world = await openOwed({ sender: alice });
    world.next.append.push(answer);
    await deliver(world);
    expect(world.rows()[0]?.state._tag).toBe(state);
  });

  it("decides on the state that made the conflict: joined meanwhile → done, no event", async () => {
    const world = await openOwed({ sender: alice });
    world.intercept = (call, perform) => {
      if (call.name === "events.append") world.join(zoe);
      return perform();
    };
    expect(await deliver(world)).toMatchObject({ done: 1 });
    expect(world.appended).toEqual([]);
  });
});

describe("leases", () => {
  it("keep two workers apart", async () => {
    const world = await openOwed({ sender: alice });
    const [one, other] = await Promise.all([deliver(world), deliverElsewhere(world)]);
    expect(one.done + other.done).toBe(1);
    expect(world.appended).toHaveLength(1);
  });

  it("that end during the work never make two events", async () => {
    const world = await openOwed({ sender: alice, config: { leaseMs: 1_000 } });
    const release: { go?: () => void } = {};
    world.intercept = (call, perform) =>
      call.name === "identityServer.keyValidity" && release.go === undefined
        ? new Promise<void>((resolve) => {
            release.go = resolve;
          }).then(perform)
        : perform();
    const slow = deliver(world);
    while (release.go === undefined) await Promise.resolve();
    world.now += 1_001;
    expect(await deliverElsewhere(world)).toMatchObject({ done: 1 });
    release.go();
    expect(await slow).toMatchObject({ done: 1 });
    expect(world.appended).toHaveLength(1);
    expect(world.rows()[0]?.state).toEqual({ _tag: "Redeemed", endedAt: world.now });
  });

  it("of a worker that died give its rows back", async () => {
    const world = await openOwed({ sender: alice, config: { leaseMs: 1_000 } });
    world.intercept = (call, perform) =>
      call.name === "events.append" ? new Promise(() => undefined) : perform();
    void world.invites.deliverOwed();
    while (world.count("events.append") === 0) await Promise.resolve();
    world.intercept = undefined;
    expect(await deliverElsewhere(world)).toEqual({
      done: 0,
      dead: 0,
      again: 0,
      nextDueAt: world.now + 1_000,
    });
    world.now += 1_000;
    expect(await deliverElsewhere(world)).toMatchObject({ done: 1 });
  });

  it("whose end cannot be told: a left, and the row is done later without a second event", async () => {
    const world = await openOwed({ sender: alice, config: { leaseMs: 1_000 } });
    world.intercept = (call, perform) =>
      call.name === "redemptions.replace" ? Promise.reject(new Error("down")) : perform();
    expect(problemOf(await world.invites.deliverOwed())).toMatchObject({
      _tag: "PortFailure",
      code: "PortBroken",
    });
    world.intercept = undefined;
    world.now += 1_000;
    expect(await deliver(world)).toMatchObject({ done: 1 });
    expect(world.appended).toHaveLength(1);
  });

  it("are settled each for itself: one that fails does not stop the others", async () => {
    const world = openWorld();
    for (const name of ["t1", "t2", "t3"]) {
      pend(world, name, { sender: alice });
      await owe(world, { token: name, sender: alice });
    }
    world.intercept = (call, perform) =>
      call.name === "redemptions.replace" && world.count("redemptions.replace") === 1
        ? Promise.reject(new Error("down"))
        : perform();
    expect(problemOf(await world.invites.deliverOwed()).code).toBe("PortBroken");
    expect(world.rows().filter(({ state }) => state._tag === "Redeemed")).toHaveLength(2);
  });
});

it("a stopped call gives its rows back for another time", async () => {
  const world = await openOwed();
  const controller = new AbortController();
  world.intercept = (call, perform) => {
    if (call.name === "federation.exchangeThirdPartyInvite") controller.abort();
    return perform();
  };
  await world.invites.deliverOwed({}, { signal: controller.signal });
  expect(world.rows()[0]?.state).toMatchObject({ _tag: "Waiting" });
  world.intercept = undefined;
  world.next.exchange.push({ _tag: "Accepted" });
  world.now += 3_600_000;
  expect(await deliver(world)).toMatchObject({ done: 1 });
});

describe("rows that a clock has put off by a year", () => {
  const hour = 3_600_000;
  const year = 365 * 24 * hour;

  const openFar = async (rows: number): Promise<World> => {
    const world = openWorld({ resident: false });
    for (let row = 0; row < rows; row += 1) {
      await owe(world, { token: `t${row}`, sender: must(parseUserId(`@bob:s${row % 50}.example`)) });
      world.next.exchange.push({ _tag: "Accepted" });
    }
    world.now += year;
    // A worker whose clock is a year ahead holds all of them, and dies.
    const due = { from: 0, to: world.now };
    const lanes = [{ lane: "unvouched" as const, except: [] }];
    await world.ports.redemptions.claim({ lanes, due, until: world.now + 120_000, limit: rows }, {});
    world.now -= year;
    return world;
  };

  it("are all worked on by a process whose clock was right for an hour", async () => {
    const world = await openFar(200);
    expect(await deliver(world)).toMatchObject({ done: 0, nextDueAt: world.now + hour });
    world.now += hour;
    expect(await deliver(world)).toMatchObject({ done: 200 });
  });

  it("and then, where these are more than are worked on in one call, in the next", async () => {
    const world = await openFar(200);
    await deliver(world);
    world.now += hour;
    for (let call = 0; call < 4; call += 1)
      expect(must(await world.invites.deliverOwed({ limit: 50 }))).toMatchObject({ done: 50 });
  });

  it("are few for a clock that has leapt itself: it may be the one that is wrong", async () => {
    const world = await openFar(200);
    await deliver(world);
    world.now -= hour;
    expect((await deliver(world)).done).toBeLessThanOrEqual(8);
  });
});
