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

  "sizes has the rows, bytes and least `at` of each lane that has rows, and what leaves no earlier": async (
    queue,
  ) => {
    const { redemptions } = queue;
    const sizes = async (leaving?: number) => {
      const lanes = ["unvouched", "vouched", "done"] as const;
      const of = leaving === undefined ? { lanes } : { lanes, leaving };
      return Object.fromEntries((await redemptions.sizes(of, {})).map(({ lane, ...size }) => [lane, size]));
    };
    const sizeOf = (...of: readonly RedemptionRecord[]) => ({
      rows: of.length,
      bytes: of.reduce((sum, one) => sum + redemptionRow(one).bytes, 0),
    });
    const whole = (oldest: number, ...of: readonly RedemptionRecord[]) => ({
      ...sizeOf(...of),
      ahead: sizeOf(...of),
      oldest,
    });
    expectSame(await sizes(), {}, "There are no rows.");
    const [first, second, third] = [0, 65, 66].map((depth, index) =>
      redemption(`t${index}`, waiting({ depth, dueAt: due + index, signed: { text: "x".repeat(depth) } })),
    ) as [RedemptionRecord, RedemptionRecord, RedemptionRecord];
    await redemptions.put([first, second, third, ...everyLane.slice(1)], {});
    const others = Object.fromEntries(
      everyLane
        .map((one) => [laneOf(one), whole(due, one)] as const)
        .filter(([lane]) => lane === "vouched" || lane === "done"),
    );
    expectSame(await sizes(), { unvouched: whole(due, first, second, third), ...others }, "Of all rows.");
    const { unvouched } = await sizes(redemptionRow(second).leaving);
    const expected = { ...whole(due, first, second, third), ahead: sizeOf(first, second) };
    expectSame(unvouched, expected, "`ahead` is what leaves no earlier than that.");
    await claimAt(queue, due, 2);
    const { unvouched: claimed } = await sizes();
    expectSame(
      claimed,
      whole(due + 1, first, second, third),
      "A claim puts a row off; it is one of its lane still.",
    );
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
