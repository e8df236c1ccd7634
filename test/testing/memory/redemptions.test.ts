import { describe, expect, it } from "vitest";
import { parseStrict } from "matrix-third-party-invites/judge";
import { canonicalJson, isJsonObject } from "matrix-third-party-invites/matrix";
import { waitingLanes } from "../../../src/storage/index.js";
import { type MemoryRedemptions, memoryRedemptions } from "../../../src/testing/memory/index.js";
import { bob, carol, must, owed, present, room1 } from "./samples.js";

/** What the contract leaves open, or what only this one has; the rest is in the contract. */
describe("memoryRedemptions", () => {
  const claimed = (redemptions: MemoryRedemptions, to: number) =>
    redemptions.claim(
      {
        lanes: waitingLanes.map((lane) => ({ lane, except: [] })),
        due: { from: 0, to },
        until: to + 60,
        limit: 10,
      },
      {},
    );

  it("shows a test all that is stored, in the order in which it came, claimed or not", async () => {
    const redemptions = memoryRedemptions();
    expect(redemptions.all()).toEqual([]);
    const rows = [owed("z"), owed("a", carol), owed("m", bob, { dueAt: 900 })];
    await redemptions.put(rows, {});
    expect(redemptions.all()).toEqual(rows);
    await claimed(redemptions, 100);
    expect(redemptions.all()).toEqual(rows);
  });

  it("rejects what it cannot store, and stores nothing of that call", async () => {
    const redemptions = memoryRedemptions();
    for (const signed of [{ call: () => 1 }, { large: 1n }])
      await expect(redemptions.put([owed("t"), owed("u", bob, { signed })], {})).rejects.toThrow();
    expect(redemptions.all()).toEqual([]);
  });

  it("leaves a row as it is where its replacement cannot be stored", async () => {
    const redemptions = memoryRedemptions();
    await redemptions.put([owed("t")], {});
    const { mark } = present((await claimed(redemptions, 100))[0]);
    await expect(redemptions.replace(owed("t", bob, { signed: { large: 1n } }), mark, {})).rejects.toThrow();
    expect(redemptions.all()).toEqual([owed("t")]);
    expect(await redemptions.replace(owed("t", bob, { attempts: 1 }), mark, {})).toMatchObject({
      _tag: "Replaced",
    });
  });

  it("answers with records that nobody can change", async () => {
    const redemptions = memoryRedemptions();
    await redemptions.put([owed("t")], {});
    const { value } = present((await claimed(redemptions, 100))[0]);
    expect(() => Object.assign(value, { token: "u" })).toThrow(TypeError);
    expect(() => Object.assign(value.state, { attempts: 9 })).toThrow(TypeError);
    expect(redemptions.all()).toEqual([owed("t")]);
  });

  it("keeps numbers as they were written: what is signed must come back as it was", async () => {
    const redemptions = memoryRedemptions();
    const text = '{"mxid":"@b:c","token":"t","x":1.0}';
    const json = must(parseStrict(text, "any"));
    await redemptions.put([owed("t", bob, { signed: isJsonObject(json) ? json : {} })], {});
    const { state } = present(redemptions.all()[0]);
    expect(canonicalJson("signed" in state ? state.signed : {}, "any")).toMatchObject({ right: text });
  });

  it("holds more rows than a call takes arguments", async () => {
    const redemptions = memoryRedemptions();
    const rows = Array.from({ length: 130_000 }, (_, index) => owed(`t${index}`, bob, { turn: index }));
    await redemptions.put(rows, {});
    expect(await redemptions.nextDueAt({})).toBe(100);
    expect((await redemptions.line({ lane: "unvouched", mxid: bob }, {})).firstTurn).toBe(0);
    expect(await redemptions.sizes({ lanes: ["unvouched"] }, {})).toMatchObject([
      { rows: 130_000, oldest: 100 },
    ]);
    expect(await redemptions.known({ roomId: room1, token: "t1", mxid: bob }, {})).toEqual([]);
  });
});
