import { redemptionRow } from "../../invite/redemption-row.js";
import type { RedemptionRecord } from "../../invite/redemption.js";
import { expectSame } from "./expect.js";
import type { Checks } from "./runner.js";
import { bob, room1 } from "./samples.js";
import {
  type Queue,
  claimAt,
  claimOne,
  due,
  ended,
  everyLane,
  idOf,
  laneOf,
  leaseMs,
  oddTokens,
  redemption,
  tried,
  waiting,
} from "./sample-redemptions.js";

export const lookChecks: Checks<Queue> = {
  "known has what is redeemed or announced of a token and its user, and of no other": async ({
    redemptions,
  }) => {
    const tokens = [...oddTokens, "t", "T", "t ", "_", "%"];
    const rows = tokens.map((token, index) => redemption(`k${index}`, ended("Redeemed"), { token }));
    const others = [
      redemption("room", ended("Redeemed"), { roomId: "!2:a.example" }),
      redemption("user", ended("Redeemed"), { mxid: "@carol:b.example" }),
      redemption("done", ended("Done")),
      redemption("waiting"),
    ];
    const announced = redemption("announced", ended("Announced"));
    await redemptions.put([...rows, ...others, announced], {});
    for (const { roomId, token, mxid, id } of rows) {
      const known = await redemptions.known({ roomId, token, mxid }, {});
      const expected = token === "t" ? ["announced", id] : [id];
      expectSame(
        known.map((row) => row.id).sort(),
        expected,
        "Not the rows of this token and user are known.",
      );
    }
  },

  "known has the newest 16": async ({ redemptions }) => {
    // A replay adds announcements; the last thing that happened is what counts.
    const rows = Array.from({ length: 40 }, (_, index) =>
      redemption(`k${index}`, ended(index % 2 === 0 ? "Redeemed" : "Announced", due + ((index * 7) % 40))),
    );
    await redemptions.put(rows, {});
    const known = await redemptions.known({ roomId: room1, token: "t", mxid: bob }, {});
    const ages = known
      .map(({ state }) => ("endedAt" in state ? state.endedAt - due : NaN))
      .sort((a, b) => a - b);
    expectSame(
      ages,
      Array.from({ length: 16 }, (_, index) => 24 + index),
      "Others than the newest are known.",
    );
  },

  "list has the rows of a lane by their ids, from after one of them on, up to the limit": async (queue) => {
    const ids = ["-1", "0", "A", "Z", "_", "a", "aa", "b", "z"];
    await queue.redemptions.put([...ids.toReversed().map((id) => redemption(id)), ...everyLane.slice(1)], {});
    const pages: string[][] = [];
    for (let after: string | undefined, page = 0; page < 4; page += 1) {
      const from = after === undefined ? {} : { after: idOf(after) };
      const rows = await queue.redemptions.list({ lane: "unvouched", ...from, limit: 4 }, {});
      pages.push(rows.map(({ value }) => value.id));
      after = pages[page]?.at(-1) ?? after;
    }
    expectSame(pages, [ids.slice(0, 4), ids.slice(4, 8), ids.slice(8), []], "Pages of four are others.");
  },

  "line has what waits in a lane for one user by server, and the least turn of all users": async (queue) => {
    const sent = (id: string, sender: string, turn: number, mxid = "@bob:b.example") =>
      redemption(id, waiting({ turn }), { sender, mxid });
    const names = ["@a:a.example", "@b:a.example", "@a:A.example", "@a:a.example:8448", "@a:sub.a.example"];
    const rows = [
      ...names.map((sender, index) => sent(`t${index}`, sender, 10 + index)),
      ...["@Bob:b.example", "@bob:b.example:80", "@bo_:b.example"].map((mxid, index) =>
        sent(`u${index}`, "@a:a.example", 5 + index, mxid),
      ),
    ];
    const { redemptions } = queue;
    const lineOf = async (lane: "vouched" | "unvouched") => {
      const { firstTurn, waiting: all } = await redemptions.line({ lane, mxid: bob }, {});
      return {
        firstTurn,
        waiting: Object.fromEntries(all.map(({ destination, rows: count }) => [destination, count])),
      };
    };
    expectSame(await lineOf("unvouched"), { waiting: {} }, "Nothing waits yet.");
    await redemptions.put([...rows, ...everyLane.slice(1)], {});
    await redemptions.claim(
      { lanes: [{ lane: "unvouched", except: [] }], due: { from: 0, to: due }, until: due + 1, limit: 3 },
      {},
    );
    const expected = { "a.example": 2, "A.example": 1, "a.example:8448": 1, "sub.a.example": 1 };
    expectSame(
      await lineOf("unvouched"),
      { firstTurn: 5, waiting: expected },
      "Claimed rows wait too; others do not.",
    );
    expectSame(
      await lineOf("vouched"),
      { firstTurn: 7, waiting: { "a.example": 1 } },
      "The lane has one row.",
    );
  },

  "sizes has the rows, bytes and least `at` of each lane that has rows, of one user or of all": async (
    queue,
  ) => {
    const { redemptions } = queue;
    const lanes = ["unvouched", "vouched", "done"] as const;
    expectSame(await redemptions.sizes({ lanes }, {}), [], "There are no rows.");
    const rows = [0, 64, 66].map((depth, index) =>
      redemption(`t${index}`, waiting({ depth, dueAt: due + index, signed: { text: "x".repeat(depth) } })),
    );
    const ofCarol = redemption("c", waiting({ depth: 65, dueAt: due + 5 }), { mxid: "@carol:c.example" });
    await redemptions.put([...rows, ofCarol, ...everyLane.slice(1)], {});
    const sizesOf = async (of: Pick<Parameters<typeof redemptions.sizes>[0], "mxid" | "leaving">) =>
      Object.fromEntries(
        (await redemptions.sizes({ lanes, ...of }, {})).map(({ lane, ...size }) => [lane, size]),
      );
    const size = (...of: readonly RedemptionRecord[]) => ({
      rows: of.length,
      bytes: of.reduce((sum, one) => sum + redemptionRow(one).bytes, 0),
    });
    const whole = (oldest: number, ...of: readonly RedemptionRecord[]) => ({
      ...size(...of),
      ahead: size(...of),
      oldest,
    });
    const others = Object.fromEntries(
      everyLane.flatMap((one) =>
        lanes.slice(1).some((lane) => lane === laneOf(one)) ? [[laneOf(one), whole(due, one)]] : [],
      ),
    );
    expectSame(await sizesOf({}), { unvouched: whole(due, ...rows, ofCarol), ...others }, "Of all users.");
    expectSame(await sizesOf({ mxid: bob }), { unvouched: whole(due, ...rows), ...others }, "Of one user.");
    const { leaving } = redemptionRow(ofCarol);
    const { unvouched } = await sizesOf({ leaving });
    const ahead = size(...rows.slice(0, 2), ofCarol);
    expectSame(
      unvouched,
      { ...whole(due, ...rows, ofCarol), ahead },
      "`ahead` is what leaves no earlier than that.",
    );
    await claimAt(queue, due, 1);
    await claimAt(queue, due, 1);
    const { unvouched: claimed } = await sizesOf({ mxid: bob });
    expectSame(claimed?.oldest, due + 1, "A claim puts a row off; it is one of its lane still.");
    expectSame(claimed?.rows, 3, "A claim puts a row off; it is one of its lane still.");
  },

  "nextDueAt is the least `at` of the rows that wait: of one that is claimed, when the claim ends": async (
    queue,
  ) => {
    const { redemptions } = queue;
    const ends = everyLane.filter(({ state }) => state._tag !== "Waiting");
    await redemptions.put(ends, {});
    expectSame(await redemptions.nextDueAt({}), undefined, "Rows that have ended are not due.");
    await redemptions.put([redemption("t"), redemption("u", tried(1, { dueAt: due + 2 * leaseMs }))], {});
    expectSame(await redemptions.nextDueAt({}), due, "Another row was due first.");
    const { value, mark } = await claimOne(queue);
    expectSame(await redemptions.nextDueAt({}), due + leaseMs, "A claimed row is free when the claim ends.");
    await redemptions.replace({ ...value, state: ended("Done") }, mark, {});
    expectSame(await redemptions.nextDueAt({}), due + 2 * leaseMs, "The row that waits still is due later.");
  },
};
