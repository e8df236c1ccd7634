import { expectSame } from "./expect.js";
import type { Checks } from "./runner.js";
import {
  type Queue,
  claimOne,
  due,
  ended,
  everyLane,
  expectClaimed,
  idsOf,
  inLane,
  laneOf,
  oddRecords,
  redemption,
  waiting,
} from "./sample-redemptions.js";

export const putRedemptionChecks: Checks<Queue> = {
  "a redemption comes back as it was put, in any state, with any texts and numbers in it": async (queue) => {
    const all = [...everyLane, ...oddRecords];
    await queue.redemptions.put(all, {});
    for (const lane of new Set(all.map(laneOf))) {
      const listed = new Map((await inLane(queue, lane)).map(({ value }) => [value.id, value]));
      const expected = all.filter((record) => laneOf(record) === lane);
      for (const record of expected) expectSame(listed.get(record.id), record, "A record was changed.");
      expectSame(listed.size, expected.length, `The lane ${lane} has another number of rows.`);
    }
  },

  "put adds the rows whose id is new, once, and answers with their ids": async ({ redemptions }) => {
    const [a, b, c] = [redemption("a"), redemption("b"), redemption("c")];
    expectSame([...(await redemptions.put([a, b, a], {}))].sort(), ["a", "b"], "Of three rows two were one.");
    expectSame(await redemptions.put([b, c], {}), ["c"], "One of two rows was new.");
    expectSame(await redemptions.put([], {}), [], "There was no row.");
    expectSame(idsOf(await inLane({ redemptions }, "unvouched")), ["a", "b", "c"], "The rows are others.");
  },

  "put leaves a row that exists as it is: waiting, claimed or ended": async (queue) => {
    const { redemptions } = queue;
    await redemptions.put([redemption("t"), redemption("u", ended("Done"))], {});
    const { mark } = await claimOne(queue);
    const again = ["t", "u"].map((id) => redemption(id, waiting({ turn: 5, depth: 9 })));
    expectSame(await redemptions.put(again, {}), [], "put says that rows which exist are new.");
    await expectClaimed(queue, due, [], "A second delivery ended a claim, or brought an ended row back.");
    const [standing] = await inLane(queue, "unvouched");
    expectSame(standing, { value: redemption("t"), mark }, "A second delivery changed the row.");
  },

  "of a put all rows or none are stored": async (queue) => {
    const unstorable = redemption("u", waiting({ signed: { unstorable: () => 1, too: 1n } }));
    const isStored = await queue.redemptions.put([redemption("t"), unstorable, redemption("v")], {}).then(
      () => true,
      () => false,
    );
    const left = idsOf(await inLane(queue, "unvouched"));
    expectSame(
      left,
      isStored ? ["t", "u", "v"] : [],
      "Of rows with one that cannot be stored a part is there.",
    );
  },

  "a put of 512 KiB shows all of its rows or none while it runs": async ({ redemptions }) => {
    const signed = { text: "x".repeat(400) };
    const rows = Array.from({ length: 800 }, (_, index) => redemption(`t${index}`, waiting({ signed })));
    const count = async (): Promise<number> =>
      (await redemptions.sizes({ lanes: ["unvouched"] }, {}))[0]?.rows ?? 0;
    const adding = redemptions.put(rows, {});
    // Should it reject while nobody waits for it, that is told below.
    adding.catch(() => undefined);
    const seen = new Set<number>();
    for (let looks = 0; looks < 100 && !seen.has(rows.length); looks += 1) seen.add(await count());
    expectSame((await adding).length, rows.length, "Not all of the rows were new.");
    expectSame(await count(), rows.length, "Not all of the rows are there.");
    const parts = [...seen].filter((rowCount) => rowCount !== 0 && rowCount !== rows.length);
    expectSame(parts, [], "Somebody saw a part of a put: a crash there would keep only that.");
  },

  "a row that was put stays so, whatever the caller does to its own copy": async (queue) => {
    const signed = { token: "first" };
    await queue.redemptions.put([redemption("t", waiting({ signed }))], {});
    signed.token = "second";
    const { value } = await claimOne(queue);
    expectSame(
      value,
      redemption("t", waiting({ signed: { token: "first" } })),
      "The row is the caller's own object.",
    );
  },
};
