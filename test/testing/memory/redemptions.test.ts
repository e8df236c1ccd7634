import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseStrict } from "matrix-third-party-invites/judge";
import { canonicalJson, isJsonObject } from "matrix-third-party-invites/matrix";
import type { FailureDetails } from "../../../src/ports.js";
import { memoryRedemptions } from "../../../src/testing/memory/index.js";
import { aExample, bob, cExample, carol, owed, present, room2 } from "./samples.js";

const trouble = (reason: string): FailureDetails => ({ reason, status: 403, errcode: "M_FORBIDDEN" });

const at = (now: number, limit = 10) => ({ now, until: now + 60, limit });

describe("memoryRedemptions", () => {
  it("owes a row once: a second delivery changes nothing", async () => {
    const redemptions = memoryRedemptions();
    await redemptions.owe([owed("t")], {});
    await redemptions.owe([owed("t", bob, { dueAt: 5 }), owed("t", carol), owed("u")], {});
    await redemptions.owe([owed("t", bob, { roomId: room2 })], {});
    expect(redemptions.all().map(({ token, mxid, dueAt }) => [token, mxid, dueAt])).toEqual([
      ["t", bob, 100],
      ["t", carol, 100],
      ["u", bob, 100],
      ["t", bob, 100],
    ]);
  });

  it("adds all rows or none", async () => {
    const redemptions = memoryRedemptions();
    const unstorable = owed("u", bob, { signed: { call: () => 1 } });
    await expect(redemptions.owe([owed("t"), unstorable], {})).rejects.toThrow();
    expect(redemptions.all()).toEqual([]);
  });

  it("does not owe a settled row again", async () => {
    const redemptions = memoryRedemptions();
    await redemptions.owe([owed("t")], {});
    const [held] = await redemptions.lease(at(100), {});
    await redemptions.settle(owed("t"), present(held).lease, { _tag: "Done" }, {});
    await redemptions.owe([owed("t")], {});
    expect(await redemptions.lease(at(1000), {})).toEqual([]);
    expect(redemptions.all().map(({ state }) => state)).toEqual([{ _tag: "Done" }]);
  });

  it("leases only what is due, the longest due first, up to the limit", async () => {
    const redemptions = memoryRedemptions();
    await redemptions.owe(
      [owed("a", bob, { dueAt: 30 }), owed("b", bob, { dueAt: 10 }), owed("c", bob, { dueAt: 20 })],
      {},
    );
    expect(await redemptions.lease(at(9), {})).toEqual([]);
    const tokens = (await redemptions.lease(at(30, 2), {})).map(({ redemption }) => redemption.token);
    expect(tokens).toEqual(["b", "c"]);
  });

  it("gives a row to one caller at a time, and to another when the lease has run out", async () => {
    const redemptions = memoryRedemptions();
    await redemptions.owe([owed("t")], {});
    const answers = await Promise.all([1, 2, 3].map(() => redemptions.lease(at(100), {})));
    expect(answers.flat()).toHaveLength(1);
    expect(await redemptions.lease(at(159), {})).toEqual([]);
    const [again] = await redemptions.lease(at(160), {});
    expect(again?.redemption).toEqual(owed("t"));
    expect(again?.lease).not.toBe(answers.flat()[0]?.lease);
  });

  it("settles with the living lease only", async () => {
    const redemptions = memoryRedemptions();
    await redemptions.owe([owed("t")], {});
    const [first] = await redemptions.lease(at(100), {});
    const [second] = await redemptions.lease(at(160), {});
    for (const lease of [present(first).lease, "", "99"])
      await redemptions.settle(owed("t"), lease, { _tag: "Dead", ...trouble("late") }, {});
    expect(redemptions.all()[0]?.state).toEqual({ _tag: "Waiting" });
    await redemptions.settle(owed("t"), present(second).lease, { _tag: "Dead", ...trouble("refused") }, {});
    expect(redemptions.all()[0]?.state).toEqual({ _tag: "Dead", ...trouble("refused") });
    await redemptions.settle(owed("t"), present(second).lease, { _tag: "Done" }, {});
    expect(redemptions.all()[0]?.state).toEqual({ _tag: "Dead", ...trouble("refused") });
  });

  it("knows a lease for its own row only, and an unknown row for none", async () => {
    const redemptions = memoryRedemptions();
    await redemptions.owe([owed("t"), owed("u")], {});
    const [first] = await redemptions.lease(at(100), {});
    await redemptions.settle(owed("u"), present(first).lease, { _tag: "Done" }, {});
    await redemptions.settle(owed("v"), present(first).lease, { _tag: "Done" }, {});
    await redemptions.postpone(owed("v"), 500, {});
    expect(redemptions.all().map(({ state }) => state._tag)).toEqual(["Waiting", "Waiting"]);
  });

  it("tries again later, counting the attempt", async () => {
    const redemptions = memoryRedemptions();
    await redemptions.owe([owed("t")], {});
    const [held] = await redemptions.lease(at(100), {});
    await redemptions.settle(
      owed("t"),
      present(held).lease,
      { _tag: "Again", dueAt: 500, ...trouble("down") },
      {},
    );
    expect(redemptions.all()[0]?.state).toEqual({ _tag: "Waiting", ...trouble("down") });
    expect(await redemptions.lease(at(499), {})).toEqual([]);
    const [again] = await redemptions.lease(at(500), {});
    expect(again?.redemption).toEqual(owed("t", bob, { dueAt: 500, attempts: 1 }));
  });

  it("puts a row off whose invite has come, and leaves it to its holder", async () => {
    const redemptions = memoryRedemptions();
    await redemptions.owe([owed("t")], {});
    const [held] = await redemptions.lease(at(100), {});
    await redemptions.postpone(owed("t"), 500, {});
    expect(redemptions.all()).toEqual([{ ...owed("t", bob, { dueAt: 500 }), state: { _tag: "Waiting" } }]);
    expect(await redemptions.lease(at(499), {})).toEqual([]);
    await redemptions.settle(owed("t"), present(held).lease, { _tag: "Done" }, {});
    await redemptions.postpone(owed("t"), 500, {});
    expect(redemptions.all().map(({ state }) => state._tag)).toEqual(["Done"]);
  });

  it("counts who waits, by user and by the server that invited", async () => {
    const redemptions = memoryRedemptions();
    await redemptions.owe([owed("t"), owed("u"), owed("t", carol, { sender: carol })], {});
    const [first] = await redemptions.lease(at(100, 1), {});
    expect(await redemptions.countWaiting({ mxid: bob }, {})).toBe(2);
    expect(await redemptions.countWaiting({ destination: aExample }, {})).toBe(2);
    expect(await redemptions.countWaiting({ destination: cExample }, {})).toBe(1);
    await redemptions.settle(owed("t"), present(first).lease, { _tag: "Done" }, {});
    expect(await redemptions.countWaiting({ mxid: bob }, {})).toBe(1);
    expect(await redemptions.countWaiting({ destination: aExample }, {})).toBe(1);
  });

  it("says when the next row is due or its lease ends", async () => {
    const redemptions = memoryRedemptions();
    expect(await redemptions.nextDueAt({})).toBeUndefined();
    await redemptions.owe([owed("t"), owed("u", bob, { dueAt: 300 })], {});
    expect(await redemptions.nextDueAt({})).toBe(100);
    const [first] = await redemptions.lease(at(100), {});
    expect(await redemptions.nextDueAt({})).toBe(160);
    await redemptions.settle(owed("t"), present(first).lease, { _tag: "Done" }, {});
    expect(await redemptions.nextDueAt({})).toBe(300);
    const [second] = await redemptions.lease(at(300), {});
    await redemptions.settle(owed("u"), present(second).lease, { _tag: "Done" }, {});
    expect(await redemptions.nextDueAt({})).toBeUndefined();
  });

  it("keeps what was owed, whatever the caller does to its own copy", async () => {
    const redemptions = memoryRedemptions();
    const signed = { token: "t" };
    await redemptions.owe([owed("t", bob, { signed })], {});
    signed.token = "u";
    expect(redemptions.all()[0]?.signed).toEqual({ token: "t" });
    const [held] = await redemptions.lease(at(100), {});
    expect(() => Object.assign(present(held).redemption.signed, signed)).toThrow(TypeError);
  });

  it("never has two living leases for a row, whatever the workers do", async () => {
    const step = fc.record({ wait: fc.nat(40), lasts: fc.integer({ min: 1, max: 60 }), limit: fc.nat(3) });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        const redemptions = memoryRedemptions();
        await redemptions.owe(
          ["t", "u", "v"].map((token) => owed(token)),
          {},
        );
        const heldUntil = new Map<string, number>();
        const leases = new Set<string>();
        let now = 100;
        for (const { wait, lasts, limit } of steps) {
          now += wait;
          const taken = await redemptions.lease({ now, until: now + lasts, limit }, {});
          expect(taken.length).toBeLessThanOrEqual(limit);
          for (const { redemption, lease } of taken) {
            expect(heldUntil.get(redemption.token) ?? 0).toBeLessThanOrEqual(now);
            expect(leases.has(lease)).toBe(false);
            heldUntil.set(redemption.token, now + lasts);
            leases.add(lease);
          }
        }
      }),
    );
  });
});

it("keeps numbers as they were written: what is signed must come back as it was", async () => {
  const redemptions = memoryRedemptions();
  const signed = parseStrict('{"mxid":"@b:c","token":"t","x":1.0}', "any");
  const json = signed._tag === "Right" && isJsonObject(signed.right) ? signed.right : {};
  await redemptions.owe([owed("t", bob, { signed: json })], {});
  expect(canonicalJson(redemptions.all()[0]?.signed, "any")).toMatchObject({
    right: '{"mxid":"@b:c","token":"t","x":1.0}',
  });
});
