import type { ClaimQuestion } from "../../ports.js";
import { expectSame, expectTrue } from "./expect.js";
import type { Checks } from "./runner.js";
import { server } from "./samples.js";
import {
  type Queue,
  claimOne,
  due,
  ended,
  expectClaimed,
  idsOf,
  inLane,
  leaseMs,
  muchLater,
  redemption,
  tried,
  waiting,
} from "./sample-redemptions.js";

const claimed = async (
  { redemptions }: Queue,
  question: Partial<ClaimQuestion>,
): Promise<readonly string[]> => {
  const lanes = [{ lane: "unvouched" as const, except: [] }];
  return idsOf(
    await redemptions.claim(
      { lanes, due: { from: 0, to: due }, until: due + leaseMs, limit: 100, ...question },
      {},
    ),
  );
};

const later = (dueAt: number) => waiting({ dueAt });

export const claimChecks: Checks<Queue> = {
  "a claim is not empty while a row is due and free, and has none before its very millisecond": async (
    queue,
  ) => {
    await queue.redemptions.put(
      [redemption("t"), redemption("u", later(due + 1)), redemption("v", later(1))],
      {},
    );
    await expectClaimed(queue, 0, [], "No row is due.");
    await expectClaimed(queue, due - 1, ["v"], "One row is due.");
    await expectClaimed(queue, due, ["t"], "A row is due in the millisecond of its `at`.");
    await expectClaimed(queue, due + 1, ["u"], "One more row is due.");
  },

  "two claims never hold one row: until then nobody else has it, and then it is free, and as it was": async (
    queue,
  ) => {
    await queue.redemptions.put([redemption("t")], {});
    const first = await claimOne(queue);
    for (const now of [due, due + 1, due + leaseMs - 1])
      await expectClaimed(queue, now, [], "A row was handed out while somebody held it.");
    const second = await claimOne(queue, due + leaseMs);
    expectSame(second.value, redemption("t"), "A claim changes nothing but when the row is free.");
    expectTrue(second.mark !== first.mark, "The next holder has the mark of the last.");
    await expectClaimed(queue, due + leaseMs, [], "The second claim was not honoured.");
  },

  "a claim has rows whose `at` lies in `due`, both ends included: also what a clock that lied put off":
    async (queue) => {
      await queue.redemptions.put(
        [0, 1, 2, 3].map((index) => redemption(`t${index}`, later(due + index))),
        {},
      );
      const between = await claimed(queue, { due: { from: due + 1, to: due + 2 }, until: due + 4 });
      expectSame(between, ["t1", "t2"], "Two rows lie between.");
      const year = 365 * 86_400_000;
      expectSame(await claimed(queue, { until: due + year }), ["t0"], "One row is due.");
      const stale = { from: due + 86_400_000, to: Number.MAX_SAFE_INTEGER };
      expectSame(await claimed(queue, { due: stale }), ["t0"], "One row was put off by a year.");
      await queue.redemptions.put([redemption("far", tried(1, { dueAt: due + year }))], {});
      const again = [{ lane: "unvouched-again" as const, except: [] }];
      expectSame(
        await claimed(queue, { lanes: again, due: stale }),
        ["far"],
        "One was tried by such a clock.",
      );
      const over = { lanes: again, due: { from: 0, to: due + leaseMs }, until: due + 2 * leaseMs };
      expectSame(await claimed(queue, over), ["far"], "A claim of it that was given up is over.");
    },

  "a claim has at most `limit` rows: of the first lane the least by place, then of the next": async (
    queue,
  ) => {
    const vouched = [30, 10, 20].map((turn) => redemption(`v${turn}`, waiting({ isVouched: true, turn })));
    const again = [1, 9, 5].map((ago) =>
      redemption(`a${ago}`, tried(1, { isVouched: true, dueAt: due - ago })),
    );
    const others = [redemption("other", waiting({ turn: 1 })), redemption("left", tried(1, { dueAt: 1 }))];
    await queue.redemptions.put([...others, ...again, ...vouched], {});
    const lanes = (["vouched", "vouched-again", "unvouched"] as const).map((lane) => ({ lane, except: [] }));
    const take = (limit: number) => claimed(queue, { lanes, limit });
    expectSame(await take(0), [], "Nothing was wanted.");
    expectSame(await take(2), ["v10", "v20"], "The first lane has these first.");
    expectSame(await take(3), ["a5", "a9", "v30"], "The first lane has one left, the next has these first.");
    expectSame(await take(9), ["a1", "other"], "What is left in the three lanes.");
    await expectClaimed(queue, due, ["left"], "A lane that was not asked for has one row.");
  },

  "a claim leaves out rows for the servers in `except` of their lane, by their exact names": async (
    queue,
  ) => {
    const names = ["a.example", "A.example", "a.example:80", "sub.a.example", "b.example"];
    for (const [lane, attempts] of [["first", 0] as const, ["again", 1] as const])
      await queue.redemptions.put(
        names.map((name) => redemption(`${lane} ${name}`, tried(attempts), { sender: `@u:${name}` })),
        {},
      );
    const lanes = [
      { lane: "unvouched" as const, except: [server("a.example"), server("b.example")] },
      { lane: "unvouched-again" as const, except: [server("sub.a.example"), server("none.example")] },
    ];
    const expected = [
      ...["A.example", "a.example:80", "sub.a.example"].map((name) => `first ${name}`),
      ...["a.example", "A.example", "a.example:80", "b.example"].map((name) => `again ${name}`),
    ].sort();
    expectSame(await claimed(queue, { lanes }), expected, "Others than these were left out.");
  },
};

export const replaceRedemptionChecks: Checks<Queue> = {
  "replace stores the record under the mark that was given last, in its lane and for its time": async (
    queue,
  ) => {
    await queue.redemptions.put([redemption("t"), redemption("u", later(muchLater))], {});
    let { mark } = await claimOne(queue);
    const records = [tried(1, { dueAt: due + 20 }), tried(2, { dueAt: due + 10 })].map((state) =>
      redemption("t", state),
    );
    for (const record of records) {
      const answer = await queue.redemptions.replace(record, mark, {});
      expectSame(answer._tag, "Replaced", "The mark that was given last was not taken.");
      expectTrue("mark" in answer && answer.mark !== mark, "replace gave no new mark.");
      mark = "mark" in answer ? answer.mark : "";
      expectSame(await inLane(queue, "unvouched-again"), [{ value: record, mark }], "The row is another.");
    }
    // Its claim would have lasted longer.
    await expectClaimed(queue, due + 9, [], "The row is not due yet.");
    const { mark: last } = await claimOne(queue, due + 10);
    const done = redemption("t", ended("Done"));
    await queue.redemptions.replace(done, last, {});
    expectSame(
      (await inLane(queue, "done")).map(({ value }) => value),
      [done],
      "The row is another.",
    );
    await expectClaimed(
      queue,
      muchLater,
      ["u"],
      "A row that has ended was handed out, or another was touched.",
    );
  },

  "a replace with an old mark changes nothing, and says Stale": async (queue) => {
    await queue.redemptions.put([redemption("t"), redemption("u", later(muchLater))], {});
    const [put] = await inLane(queue, "unvouched");
    const lost = await claimOne(queue);
    const used = await claimOne(queue, due + leaseMs);
    await queue.redemptions.replace(used.value, used.mark, {});
    const held = await claimOne(queue);
    const other = (await inLane(queue, "unvouched")).find(({ value }) => value.id === "u");
    for (const mark of [put?.mark ?? "", lost.mark, used.mark, other?.mark ?? "", "", "1"])
      expectSame(
        await queue.redemptions.replace(redemption("t", ended("Done")), mark, {}),
        { _tag: "Stale" },
        "Whoever has lost a row has replaced it.",
      );
    const standing = (await inLane(queue, "unvouched")).find(({ value }) => value.id === "t");
    expectSame(standing, held, "A replace with an old mark has changed the row.");
  },

  "a replace puts nothing where no row stands": async (queue) => {
    await queue.redemptions.put([redemption("t")], {});
    const { mark } = await claimOne(queue);
    for (const id of ["u", "T", ""]) {
      const answer = await queue.redemptions.replace(redemption(id), mark, {});
      expectSame(answer, { _tag: "Stale" }, "There was no row to replace.");
    }
    expectSame(idsOf(await inLane(queue, "unvouched")), ["t"], "A row was made.");
  },

  "a mark never comes again, even where a row was removed and put anew": async (queue) => {
    const marks: string[] = [];
    for (let round = 0; round < 4; round += 1) {
      await queue.redemptions.put([redemption("t")], {});
      const { mark } = await claimOne(queue);
      const answer = await queue.redemptions.replace(redemption("t", ended("Done")), mark, {});
      marks.push(mark, "mark" in answer ? answer.mark : mark);
      await queue.redemptions.remove({ lane: "done", endedBefore: due + 1, limit: 9 }, {});
    }
    expectSame(new Set(marks).size, marks.length, "A mark was given twice: a holder from before has it.");
  },
};
