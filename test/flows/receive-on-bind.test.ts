import type { Config, FlowResult, OnBindOutcome } from "matrix-third-party-invites";
import type { JsonObject } from "matrix-third-party-invites/ports";
import { describe, expect, it } from "vitest";
import { type World, openWorld } from "./ports.js";
import { address, alice, anna, bob, carol, must, problemOf, room, signedBy, stranger } from "./samples.js";

/** Of this server, and just bound. */
const zoe = anna;

const openHome = (config: Partial<Config> = {}): World => {
  const world = openWorld({ resident: false, config });
  world.users.set(zoe, {});
  return world;
};

const entryOf = (token: string, more: JsonObject = {}): JsonObject => ({
  medium: "email",
  address,
  mxid: zoe,
  room_id: room,
  sender: bob,
  token,
  signed: signedBy(zoe, token),
  ...more,
});

const bodyOf = (invites: readonly unknown[], more: JsonObject = {}): JsonObject => ({
  medium: "email",
  address,
  mxid: zoe,
  invites,
  ...more,
});

const deliver = (world: World, body: unknown) => world.invites.receiveOnBind({ body });

const refusedOf = (outcome: Awaited<FlowResult<OnBindOutcome>>) =>
  must(outcome).refused.map(({ index, refusal }) => [index, refusal.code]);

describe("what an identity server delivers once", () => {
  it("is stored before the answer, and owed from now on", async () => {
    const world = openHome();
    const result = await deliver(world, bodyOf([entryOf("t1"), entryOf("t2", { sender: carol })]));
    expect(must(result)).toEqual({ accepted: 2, refused: [] });
    const times = { owedAt: world.now, dueAt: world.now, attempts: 0 };
    const row = { roomId: room, mxid: zoe, proof: expect.any(String) as unknown, ...times };
    expect(world.rows()).toEqual([
      { ...row, token: "t1", sender: bob, signed: signedBy(zoe, "t1"), state: { _tag: "Waiting" } },
      { ...row, token: "t2", sender: carol, signed: signedBy(zoe, "t2"), state: { _tag: "Waiting" } },
    ]);
    expect(world.names().at(-1)).toBe("redemptions.owe");
    expect(world.observed).toEqual([1, 2].map(() => ({ _tag: "RedemptionOwed", roomId: room, target: zoe })));
  });

  it("twice is owed once (field case 2)", async () => {
    const world = openHome();
    for (let time = 0; time < 3; time += 1) {
      world.now += 1_000;
      expect(must(await deliver(world, bodyOf([entryOf("t1"), entryOf("t1")]))).accepted).toBe(2);
    }
    expect(world.rows()).toHaveLength(1);
    expect(world.rows()[0]?.owedAt).toBe(world.now - 2_000);
  });

  it("is owed beside a forged proof of the same token that somebody delivered before, or with another sender", async () => {
    const world = openHome();
    const good = entryOf("t1");
    for (const entry of [
      { ...good, signed: signedBy(zoe, "t1", stranger) },
      { ...good, sender: carol },
      good,
      good,
    ])
      must(await deliver(world, bodyOf([entry])));
    expect(world.rows().map(({ sender, signed }) => [sender, signed])).toEqual([
      [bob, signedBy(zoe, "t1", stranger)],
      [carol, signedBy(zoe, "t1")],
      [bob, signedBy(zoe, "t1")],
    ]);
  });

  it.each([
    ["absent (field case 5)", { invites: undefined }],
    ["empty", { invites: [] }],
  ])("with invites %s → nothing to do", async (_, more) => {
    const world = openHome();
    expect(must(await deliver(world, bodyOf([], more)))).toEqual({ accepted: 0, refused: [] });
    expect(world.count("redemptions.owe")).toBe(0);
  });

  it("keeps `signed` whole, with members that nobody knows", async () => {
    const world = openHome();
    const signed = signedBy(zoe, "t1", undefined, { sender: bob, "org.example.more": { deep: [1] } });
    must(await deliver(world, bodyOf([entryOf("t1", { signed })])));
    expect(world.rows()[0]?.signed).toEqual(signed);
  });

  it("takes 500 entries", async () => {
    const world = openHome();
    const invites = Array.from({ length: 500 }, (_, index) => entryOf(`t${index}`));
    expect(must(await deliver(world, bodyOf(invites)))).toEqual({ accepted: 500, refused: [] });
    expect(world.rows()).toHaveLength(500);
    expect(world.count("redemptions.owe")).toBe(1);
  });
});

describe("a bad entry never spoils the others", () => {
  const bad: readonly (readonly [string, unknown, string])[] = [
    ["another user's entry mixed in (field case 1)", entryOf("x", { mxid: alice }), "MxidMismatch"],
    ["another user's proof", entryOf("x", { signed: signedBy(alice, "x") }), "MxidMismatch"],
    [
      "a proof of another user of elsewhere",
      entryOf("x", { mxid: bob, signed: signedBy(bob, "x") }),
      "MxidMismatch",
    ],
    ["no object", 7, "FieldMalformed"],
    ["null", null, "FieldMalformed"],
    ["no room", entryOf("x", { room_id: "#garden:a.example" }), "FieldMalformed"],
    ["no sender", entryOf("x", { sender: undefined }), "FieldMalformed"],
    ["no proof", entryOf("x", { signed: undefined }), "NoSigned"],
    ["a proof without token", entryOf("x", { signed: { mxid: zoe, signatures: {} } }), "NoMxidOrToken"],
    ["a token of 256 letters", entryOf("x", { signed: signedBy(zoe, "a".repeat(256)) }), "NoMxidOrToken"],
    ["a proof without signatures", entryOf("x", { signed: { mxid: zoe, token: "x" } }), "NotProven"],
    ["another token beside the proof", entryOf("x", { token: "y" }), "FieldMalformed"],
  ];

  it.each(bad)("%s", async (_, entry, code) => {
    const world = openHome();
    const result = await deliver(world, bodyOf([entryOf("t1"), entry, entryOf("t2")]));
    expect(must(result).accepted).toBe(2);
    expect(refusedOf(result)).toEqual([[1, code]]);
    expect(world.rows().map(({ token }) => token)).toEqual(["t1", "t2"]);
  });

  it("all of them bad → still a right, so that the identity server stops", async () => {
    const world = openHome();
    const result = await deliver(world, bodyOf(bad.map(([, entry]) => entry)));
    expect(must(result).accepted).toBe(0);
    expect(refusedOf(result)).toEqual(bad.map(([, , code], index) => [index, code]));
  });
});

describe("a user whom this server does not have", () => {
  it.each([
    ["unknown here", "@ghost:a.example", "UserUnknown"],
    ["of another server", "@zoe:b.example", "UserNotLocal"],
  ])("%s → all refused, and a right", async (_, mxid, code) => {
    const world = openHome();
    const entry = entryOf("t1", { mxid, signed: signedBy(mxid, "t1") });
    const result = await deliver(world, bodyOf([entry, entry], { mxid }));
    expect(must(result).accepted).toBe(0);
    expect(refusedOf(result)).toEqual([
      [0, code],
      [1, code],
    ]);
    expect(world.rows()).toEqual([]);
  });
});

describe("the caps", () => {
  it("for one user: a delivery finds room whole or not at all, and later", async () => {
    const world = openHome({ maxWaitingPerUser: 4 });
    must(await deliver(world, bodyOf([entryOf("t0")])));
    const delivery = bodyOf([1, 2, 3, 4].map((index) => entryOf(`t${index}`)));
    // Not a 200: the proofs that found no room must come again.
    expect(problemOf(await deliver(world, delivery))).toMatchObject({
      code: "TooManyWaiting",
      status: 429,
    });
    expect(world.rows().map(({ token }) => token)).toEqual(["t0"]);
    const [held] = await world.ports.redemptions.lease(
      { now: world.now, until: world.now + 1, limit: 1 },
      {},
    );
    if (held !== undefined)
      await world.ports.redemptions.settle(held.redemption, held.lease, { _tag: "Done" }, {});
    expect(must(await deliver(world, delivery)).accepted).toBe(4);
  });

  it("are no obstacle for ever: what comes again whole is taken whole, where nothing else waits", async () => {
    const world = openHome({ maxWaitingPerUser: 1, maxWaitingPerServer: 1 });
    const body = bodyOf(["t1", "t2", "t3"].map((token) => entryOf(token)));
    expect(must(await deliver(world, body)).accepted).toBe(3);
  });

  it("for one inviting server", async () => {
    const world = openHome({ maxWaitingPerServer: 1 });
    must(await deliver(world, bodyOf([entryOf("t1")])));
    const result = await deliver(world, bodyOf([entryOf("t2"), entryOf("t3", { sender: carol })]));
    expect(problemOf(result)).toMatchObject({ code: "TooManyWaiting", errcode: "M_LIMIT_EXCEEDED" });
    expect(must(await deliver(world, bodyOf([entryOf("t3", { sender: carol })]))).accepted).toBe(1);
    expect(world.rows().map(({ token }) => token)).toEqual(["t1", "t3"]);
  });

  it("for one body: 413, and nothing is looked at", async () => {
    const world = openHome({ maxOnBindEntries: 2 });
    const result = await deliver(world, bodyOf(["t1", "t2", "t3"].map((token) => entryOf(token))));
    expect(problemOf(result)).toMatchObject({ code: "TooManyEntries", status: 413, errcode: "M_TOO_LARGE" });
    expect(world.calls).toEqual([]);
    const taken = await deliver(world, bodyOf([entryOf("t1"), entryOf("t2")]));
    expect(must(taken).accepted).toBe(2);
  });
});

it.each([
  ["no object", [], "BodyNotObject"],
  ["null", null, "BodyNotObject"],
  ["a text", "{}", "BodyNotObject"],
  ["no mxid", { invites: [] }, "FieldMissing"],
  ["an mxid that is no user ID", { mxid: "zoe", invites: [] }, "FieldMalformed"],
  ["invites that are no list", { mxid: zoe, invites: {} }, "FieldMalformed"],
])("a body that is none (%s) → 400", async (_, body, code) => {
  const world = openHome();
  expect(problemOf(await deliver(world, body))).toMatchObject({ code, status: 400 });
  expect(world.calls).toEqual([]);
});

it.each(["users.find", "redemptions.countWaiting", "redemptions.owe"])(
  "%s down → a 5xx, so that the identity server repeats it, and then nothing is lost",
  async (name) => {
    const world = openHome();
    world.intercept = (call, perform) =>
      call.name === name ? Promise.reject(new Error("The storage is down.")) : perform();
    const problem = problemOf(await deliver(world, bodyOf([entryOf("t1")])));
    expect(problem._tag).toBe("PortFailure");
    expect(problem.status).toBeGreaterThanOrEqual(500);
    expect(world.rows()).toEqual([]);
    world.intercept = undefined;
    expect(must(await deliver(world, bodyOf([entryOf("t1")]))).accepted).toBe(1);
    expect(world.rows()).toHaveLength(1);
  },
);

describe("the observer is told of each entry that is refused", () => {
  const refused = (code: string) => ({ _tag: "Refused", code, flow: "receiveOnBind" });
  const owed = { _tag: "RedemptionOwed", roomId: room, target: zoe };

  it("by its code alone", async () => {
    const world = openHome();
    const entries = [7, entryOf("t1"), entryOf("t2", { mxid: bob })];
    const outcome = must(await deliver(world, bodyOf(entries)));
    expect(outcome.refused).toHaveLength(2);
    expect(world.observed).toEqual([owed, ...outcome.refused.map(({ refusal }) => refused(refusal.code))]);
  });

  it("also where nobody has the name", async () => {
    const world = openHome();
    world.users.clear();
    must(await deliver(world, bodyOf([entryOf("t1"), entryOf("t2")])));
    expect(world.observed).toEqual([refused("UserUnknown"), refused("UserUnknown")]);
  });

  it("but not before the others are stored: they come again", async () => {
    const world = openHome();
    world.intercept = (call, perform) =>
      call.name === "redemptions.owe" ? Promise.reject(new Error("down")) : perform();
    problemOf(await deliver(world, bodyOf([7, entryOf("t1")])));
    expect(world.observed).toMatchObject([
      { _tag: "PortFailed", code: "PortBroken", port: "redemptions.owe", flow: "receiveOnBind" },
    ]);
  });
});
