import { redemptionRow } from "../../invite/redemption-row.js";
import { expectSame } from "./expect.js";
import type { Checks } from "./runner.js";
import { user } from "./samples.js";
import {
  type Queue,
  claimAt,
  due,
  ended,
  idsOf,
  inLane,
  redemption,
  tried,
  waiting,
} from "./sample-redemptions.js";

export const removeChecks: Checks<Queue> = {
  "remove removes rows of a lane that ended earlier than that, at most `limit`, and says how many": async (
    queue,
  ) => {
    const rows = [1, 2, 3, 4].map((ago) => redemption(`d${ago}`, ended("Done", due - ago)));
    const others = [redemption("r", ended("Redeemed", 1)), redemption("w", waiting({ dueAt: 1 }))];
    await queue.redemptions.put([...rows, ...others], {});
    const remove = (endedBefore: number, limit: number) =>
      queue.redemptions.remove({ lane: "done", endedBefore, limit }, {});
    expectSame(await remove(due - 4, 9), 0, "No row has ended earlier.");
    expectSame(await remove(due - 1, 2), 2, "Of three rows two were to be removed.");
    expectSame(await remove(due - 1, 9), 1, "Of three rows one was left.");
    expectSame(idsOf(await inLane(queue, "done")), ["d1"], "The row that ended later is there still.");
    expectSame((await inLane(queue, "redeemed")).length, 1, "A row of another lane was removed.");
    expectSame((await inLane(queue, "unvouched")).length, 1, "A row of another lane was removed.");
  },

  "remove removes what is more than `keep`, of the lanes together, first what leaves first": async (
    queue,
  ) => {
    const { redemptions } = queue;
    const deep = [70, 80].map((depth) => redemption(`deep${depth}`, waiting({ depth })));
    const again = [9, 3, 1, 2].map((ago) => redemption(`t${ago}`, tried(1, { dueAt: due - ago })));
    await redemptions.put([...deep, ...again, redemption("v", tried(9, { isVouched: true }))], {});
    const lanes = ["unvouched", "unvouched-again"] as const;
    const left = async () => [
      ...idsOf(await inLane(queue, lanes[0])),
      ...idsOf(await inLane(queue, lanes[1])),
    ];
    const many = 1_000_000;
    const remove = (rows: number, bytes: number) => redemptions.remove({ lanes, keep: { rows, bytes } }, {});
    expectSame(await remove(6, many), 0, "There are no more rows than these.");
    expectSame(await remove(5, many), 1, "There is one row more.");
    const oldest = "Of what was tried the oldest leaves first.";
    expectSame(await left(), ["deep70", "deep80", "t1", "t2", "t3"], oldest);
    expectSame(await remove(3, many), 2, "There are two rows more.");
    expectSame(await left(), ["deep70", "deep80", "t1"], oldest);
    const leaving = redemptionRow(deep[1] ?? redemption("")).leaving;
    const sizes = await redemptions.sizes({ lanes, leaving }, {});
    const bytes = sizes.reduce((sum, { ahead }) => sum + ahead.bytes, 0);
    expectSame(await remove(many, bytes), 1, "Two rows have these bytes.");
    expectSame(await remove(many, bytes - 1), 1, "There is one byte more.");
    expectSame(await left(), ["deep70"], "The deepest leaves first.");
    expectSame((await inLane(queue, "vouched-again")).length, 1, "A row of another lane was removed.");
  },

  "sizes and remove of one user count the rows of that user alone": async (queue) => {
    const { redemptions } = queue;
    const rows = ["@a:x", "@A:x", "@a:x:1"].flatMap((mxid) =>
      [70, 80].map((depth) => redemption(`${mxid} ${depth}`, waiting({ depth }), { mxid })),
    );
    await redemptions.put(rows, {});
    const lanes = ["unvouched"] as const;
    const of = { lanes, mxid: user("@a:x") };
    const sizes = await redemptions.sizes(
      { ...of, leaving: redemptionRow(rows[0] ?? redemption("")).leaving },
      {},
    );
    expectSame(
      sizes.map((size) => [size.rows, size.ahead.rows]),
      [[2, 1]],
      "The user has two rows, and one leaves no earlier.",
    );
    expectSame(
      await redemptions.remove({ ...of, keep: { rows: 1, bytes: 1_000_000 } }, {}),
      1,
      "One is more.",
    );
    expectSame(
      idsOf(await inLane(queue, "unvouched")),
      rows
        .map(({ id }) => id as string)
        .filter((id) => id !== "@a:x 80")
        .sort(),
      "The deepest row of this user was to leave, and no other.",
    );
  },

  "remove of what has ended removes the oldest first": async (queue) => {
    await queue.redemptions.put(
      [5, 1, 9, 3].map((at) => redemption(`d${at}`, ended("Done", due + at))),
      {},
    );
    const removed = await queue.redemptions.remove(
      { lanes: ["done"], keep: { rows: 2, bytes: 1_000_000 } },
      {},
    );
    expectSame(removed, 2, "There were two rows more.");
    expectSame(idsOf(await inLane(queue, "done")), ["d5", "d9"], "The oldest was to leave.");
  },

  "remove never removes a row with `leaving` 0, claimed or not; it counts": async (queue) => {
    const firm = [0, 1, 63].map((depth) => redemption(`firm${depth}`, waiting({ depth })));
    await queue.redemptions.put([...firm, redemption("t1", tried(1)), redemption("t2", tried(2))], {});
    const lanes = ["unvouched", "unvouched-again"] as const;
    const remove = (rows: number, bytes = 1_000_000) =>
      queue.redemptions.remove({ lanes, keep: { rows, bytes } }, {});
    expectSame(await remove(4), 1, "Three rows that stay and two others are one more than four.");
    expectSame(idsOf(await inLane(queue, "unvouched-again")), ["t1"], "Another row was to leave.");
    await claimAt(queue, due, 2);
    expectSame(await remove(2, 0), 1, "One row may leave.");
    expectSame(await remove(0, 0), 0, "No row that is left may leave.");
    expectSame(
      idsOf(await inLane(queue, "unvouched")),
      ["firm0", "firm1", "firm63"],
      "A row that stays is gone.",
    );
  },
};
