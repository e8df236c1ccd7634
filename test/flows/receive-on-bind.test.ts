import type { Config, FlowResult, OnBindOutcome } from "matrix-third-party-invites";
import type { JsonObject } from "matrix-third-party-invites/ports";
import { describe, expect, it } from "vitest";
import { type World, openWorld, waitingIn } from "./ports.js";
import {
  address,
  alice,
  anna,
  bob,
  carol,
  longTerm,
  must,
  problemOf,
  room,
  signedBy,
  stranger,
} from "./samples.js";

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
    expect(must(result)).toEqual({ accepted: 2, added: 2, refused: [] });
    const row = { id: expect.any(String) as unknown, roomId: room, mxid: zoe, owedAt: world.now };
    const state = { _tag: "Waiting", isVouched: false, dueAt: world.now, attempts: 0 };
    const states = ["t1", "t2"].map((token, place) => {
      return { ...state, signed: signedBy(zoe, token), turn: place, depth: place };
    });
    expect(world.rows()).toEqual([
      { ...row, token: "t1", sender: bob, state: states[0] },
      { ...row, token: "t2", sender: carol, state: states[1] },
    ]);
    expect(world.names().at(-1)).toBe("redemptions.put");
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
    expect(world.rows().map(({ sender, state }) => [sender, "signed" in state && state.signed])).toEqual([
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
    expect(must(await deliver(world, bodyOf([], more)))).toEqual({ accepted: 0, added: 0, refused: [] });
    expect(world.count("redemptions.put")).toBe(0);
  });

  it("keeps `signed` whole, with members that nobody knows", async () => {
    const world = openHome();
    const signed = signedBy(zoe, "t1", undefined, { sender: bob, "org.example.more": { deep: [1] } });
    must(await deliver(world, bodyOf([entryOf("t1", { signed })])));
    expect(waitingIn(world)[0]?.signed).toEqual(signed);
  });

  it("takes 500 entries", async () => {
    const world = openHome();
    const invites = Array.from({ length: 500 }, (_, index) => entryOf(`t${index}`));
    expect(must(await deliver(world, bodyOf(invites)))).toEqual({ accepted: 500, added: 500, refused: [] });
    expect(world.rows()).toHaveLength(500);
    expect(world.count("redemptions.put")).toBe(1);
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
  const entries = (...tokens: readonly string[]) => bodyOf(tokens.map((token) => entryOf(token)));
  const tooMany = { code: "TooManyWaiting", status: 502, errcode: "M_LIMIT_EXCEEDED" };
  const tokens = (world: World) => world.rows().map(({ token }) => token);

  it("for one user: a delivery finds room whole or not at all, and later", async () => {
    const world = openHome({ queue: { unvouchedPerUser: 4 } });
    must(await deliver(world, entries("t0")));
    // Not a 200: the proofs that found no room must come again.
    expect(problemOf(await deliver(world, entries("t1", "t2", "t3", "t4")))).toMatchObject(tooMany);
    expect(tokens(world)).toEqual(["t0"]);
    // It is tried once, and stands in nobody's way any more.
    must(await world.invites.deliverOwed());
    expect(must(await deliver(world, entries("t1", "t2", "t3", "t4"))).accepted).toBe(4);
  });

  it("for one user: more than may ever wait is too much at once", async () => {
    const world = openHome({ queue: { unvouchedPerUser: 1 } });
    expect(problemOf(await deliver(world, entries("t1", "t2")))).toMatchObject({ code: "TooManyEntries" });
  });

  it("in all: untried rows refuse a new one, and those that were tried do not", async () => {
    const world = openHome({ queue: { unvouched: 2 } });
    must(await deliver(world, entries("t0", "t1")));
    expect(problemOf(await deliver(world, entries("t2")))).toMatchObject(tooMany);
    must(await world.invites.deliverOwed());
    expect(must(await deliver(world, entries("t2"))).added).toBe(1);
    expect(tokens(world)).toEqual(["t0", "t1", "t2"]);
  });

  it("of what was tried: the worker removes the oldest", async () => {
    const world = openHome({ queue: { unvouched: 8 } });
    for (const token of ["t0", "t1", "t2", "t3"]) {
      must(await deliver(world, entries(token)));
      world.now += 60_000;
      must(await world.invites.deliverOwed());
    }
    expect(tokens(world)).toEqual(["t2", "t3"]);
  });

  /** So many forged rows of one user, in deliveries of at most 40. */
  const flood = async (world: World, count: number, senderOf: (row: number) => string = () => bob) => {
    for (let from = 0; from < count; from += 40)
      must(
        await deliver(
          world,
          bodyOf(
            Array.from({ length: Math.min(40, count - from) }, (_, at) =>
              entryOf(`forged${from + at}`, {
                sender: senderOf(from + at),
                signed: signedBy(zoe, `forged${from + at}`, stranger),
              }),
            ),
          ),
        ),
      );
  };

  it("for one user: forged rows that stand last leave for an honest one of another server", async () => {
    const world = openHome({ queue: { unvouchedPerUser: 100 } });
    await flood(world, 100);
    expect(must(await deliver(world, bodyOf([entryOf("t1", { sender: carol })]))).added).toBe(1);
    expect(world.rows()).toHaveLength(100);
    expect(tokens(world)).toContain("t1");
    expect(tokens(world)).not.toContain("forged99");
    // One that would itself stand last is refused.
    expect(problemOf(await deliver(world, entries("t2")))).toMatchObject(tooMany);
  });

  it("for one user: what is answered with 200 stays, whatever the others' places", async () => {
    const world = openHome({ queue: { unvouchedPerUser: 100 } });
    await flood(world, 80);
    for (let row = 0; row < 60; row += 1) {
      const sender = `@u:s${row}.example`;
      const result = await deliver(world, bodyOf([entryOf(`honest${row}`, { sender })]));
      if (result._tag === "Right") expect(tokens(world)).toContain(`honest${row}`);
      else expect(problemOf(result)).toMatchObject(tooMany);
      expect(world.rows().length).toBeLessThanOrEqual(100);
    }
  });

  it("a delivery of many is not refused because many were tried", async () => {
    const world = openHome({ queue: { unvouched: 200 } });
    for (let round = 0; round < 4; round += 1) {
      await flood(world, 100, (row) => `@u:s${row}-${round}.example`);
      must(await world.invites.deliverOwed());
    }
    const many = Array.from({ length: 120 }, (_, row) => `t${row}`);
    expect(must(await deliver(world, entries(...many))).added).toBe(120);
  });

  it("in bytes", async () => {
    const world = openHome({ queue: { unvouchedBytes: 2_000 } });
    must(await deliver(world, entries("t0")));
    expect(problemOf(await deliver(world, entries("t1", "t2", "t3")))).toMatchObject(tooMany);
  });

  it("of those that are vouched are others: a flood of the rest is in nobody's way", async () => {
    const pinnedKeys = new Map([["id.example", [longTerm.publicKey]]]);
    const world = openHome({ queue: { unvouched: 1 }, pinnedKeys });
    const forged = entryOf("t0", { signed: signedBy(zoe, "t0", stranger) });
    must(await deliver(world, bodyOf([forged])));
    expect(must(await deliver(world, entries("t1", "t2"))).added).toBe(2);
    expect(waitingIn(world).map(({ isVouched }) => isVouched)).toEqual([false, true, true]);
  });

  it("what has ended refuses nothing", async () => {
    const world = openHome({ queue: { unvouched: 1, unvouchedPerUser: 1 } });
    for (const token of ["t0", "t1", "t2"]) {
      must(await deliver(world, entries(token)));
      world.next.exchange.push({ _tag: "Accepted" });
      expect(must(await world.invites.deliverOwed()).done).toBe(1);
    }
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

it.each(["users.find", "invites.list", "redemptions.line", "redemptions.sizes", "redemptions.put"])(
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
      call.name === "redemptions.put" ? Promise.reject(new Error("down")) : perform();
    problemOf(await deliver(world, bodyOf([7, entryOf("t1")])));
    expect(world.observed).toMatchObject([
      { _tag: "PortFailed", code: "PortBroken", port: "redemptions.put", flow: "receiveOnBind" },
    ]);
  });
});
