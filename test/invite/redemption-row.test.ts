import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type {
  RedemptionId,
  RedemptionRecord,
  RedemptionState,
  WaitingRedemption,
} from "../../src/invite/redemption.js";
import { lanesOf, redemptionRow, tokenColumn, waitingLanes } from "../../src/invite/redemption-row.js";
import { canonicalJson } from "../../src/matrix/canonical-json.js";
import { isJsonObject } from "../../src/matrix/json.js";
import { parseStrict } from "../../src/matrix/strict-json.js";
import { alice, bob, rightOf, room, signed } from "./room.js";
import { readRedemption } from "../../src/storage/index.js";
import { anyText } from "./records.js";

const { roomId } = room();

const waiting = (more: Partial<WaitingRedemption> = {}): WaitingRedemption => ({
  _tag: "Waiting",
  signed,
  isVouched: false,
  turn: 7,
  depth: 0,
  dueAt: 100,
  attempts: 0,
  ...more,
});

const trouble = { reason: "NotProven", status: 403, errcode: "M_FORBIDDEN" };

const recordOf = (state: RedemptionState, more: Partial<RedemptionRecord> = {}): RedemptionRecord => ({
  id: "id" as RedemptionId,
  roomId,
  token: "t",
  mxid: bob,
  sender: alice,
  owedAt: 100,
  state,
  ...more,
});

const details = fc.record({ reason: anyText, status: fc.nat(599), errcode: anyText });

const time = fc.double({ min: 0, max: 8.64e15, noNaN: true }).map((at) => at + 0);

/** Any JSON object, also with what no canonical JSON has; -0 is 0 there. */
const json = fc
  .dictionary(anyText, fc.oneof(anyText, fc.jsonValue({ maxDepth: 3 })))
  .map(
    (object) =>
      JSON.parse(JSON.stringify(object), (_, value: unknown) => (value === 0 ? 0 : value)) as object,
  )
  .map((object) => (isJsonObject(object) ? object : {}));

const states = fc.oneof(
  fc.record(
    {
      _tag: fc.constant("Waiting" as const),
      signed: json,
      isVouched: fc.boolean(),
      turn: fc.nat(),
      depth: fc.nat(),
      dueAt: time,
      attempts: fc.nat(),
      refusedAt: time,
      last: details,
    },
    { requiredKeys: ["_tag", "signed", "isVouched", "turn", "depth", "dueAt", "attempts"] },
  ),
  fc
    .record({ signed: json, isVouched: fc.boolean(), endedAt: time, more: details })
    .map(({ more, ...dead }) => ({ _tag: "Dead" as const, ...dead, ...more })),
  fc.record({
    _tag: fc.constantFrom("Done" as const, "Redeemed" as const, "Announced" as const),
    endedAt: time,
  }),
);

const records: fc.Arbitrary<RedemptionRecord> = fc
  .record({ state: states, token: anyText, owedAt: time, id: fc.base64String() })
  .map(({ state, id, ...more }) => recordOf(state as RedemptionState, { ...more, id: id as RedemptionId }));

describe("what is stored of a redemption", () => {
  test("is read as it was written", () => {
    fc.assert(
      fc.property(records, (record) => {
        expect(readRedemption(redemptionRow(record).record)).toEqual(record);
      }),
    );
  });

  test.each([
    '{"mxid":"@b:c","n":1.0,"token":"t"}',
    '{"mxid":"@b:c","n":[9007199254740993,0.10,1e400,-1.50],"token":"t"}',
    '{"__proto__":{"a":1},"constructor":null,"mxid":"@b:c","token":"t","toString":[]}',
  ])("has the numbers and names of %s as they were signed", (text) => {
    const json = rightOf(parseStrict(text, "any"));
    const record = recordOf(waiting({ signed: isJsonObject(json) ? json : {} }));
    const { state } = readRedemption(redemptionRow(record).record);
    expect(canonicalJson("signed" in state ? state.signed : {}, "any")).toEqual(canonicalJson(json, "any"));
  });

  test("is text that every database holds, whatever strangers write", () => {
    fc.assert(
      fc.property(records, (record) => {
        const { token, mxid, record: text, bytes } = redemptionRow(record);
        for (const column of [token, mxid, text]) {
          expect(column.isWellFormed()).toBe(true);
          expect(column).not.toContain("\u0000");
        }
        expect(bytes).toBe(new TextEncoder().encode(text).length + 300);
      }),
    );
  });

  test("has another token column for another room, token or user", () => {
    fc.assert(
      fc.property(records, records, (one, other) => {
        expect(tokenColumn(one) === tokenColumn(other)).toBe(one.token === other.token);
      }),
    );
    const of = { roomId, token: "t", mxid: bob };
    const columns = [of, { ...of, roomId: room("12").roomId }, { ...of, mxid: alice }, { ...of, token: "T" }];
    expect(new Set(columns.map(tokenColumn)).size).toBe(columns.length);
  });

  test.each([
    "",
    "{}",
    "null",
    JSON.stringify({ ...recordOf(waiting()), state: { _tag: "Odd" } }),
    JSON.stringify(recordOf(waiting())),
    JSON.stringify({ ...recordOf({ _tag: "Done", endedAt: 1 }), roomId: "secret" }),
    JSON.stringify(recordOf({ _tag: "Done", endedAt: NaN })),
  ])("is not read where it is not as it was written, and not repeated: %s", (text) => {
    expect(() => readRedemption(text)).toThrow(/^(?!.*secret)/);
  });
});

test.each([
  ["vouched", 7, 100, waiting({ isVouched: true })],
  ["unvouched", 7, 100, waiting()],
  // Whoever was put off before anybody had tried it is at the place of its time, and so overtakes nobody.
  ["vouched-again", 101, 101, waiting({ isVouched: true, dueAt: 101 })],
  ["unvouched-again", 101, 101, waiting({ dueAt: 101 })],
  ["vouched-again", 500, 500, waiting({ isVouched: true, dueAt: 500, attempts: 1 })],
  ["unvouched-again", 100, 100, waiting({ attempts: 1 })],
  ["dead", 9, 9, { _tag: "Dead", signed, isVouched: true, endedAt: 9, ...trouble }],
  ["done", 9, 9, { _tag: "Done", endedAt: 9 }],
  ["redeemed", 9, 9, { _tag: "Redeemed", endedAt: 9 }],
  ["announced", 9, 9, { _tag: "Announced", endedAt: 9 }],
] as const)("the lane %s: place %d, at %d", (lane, place, at, state) => {
  expect(redemptionRow(recordOf(state))).toMatchObject({ lane, place, at, destination: "one.example" });
});

test("a class has two lanes that wait, and together they are all of them", () => {
  expect([...lanesOf(true), ...lanesOf(false)].sort()).toEqual([...waitingLanes].sort());
});

test("of what is untried the deepest leaves first, and never one of a user's first 64", () => {
  const leavingAt = (depth: number): number => redemptionRow(recordOf(waiting({ depth }))).leaving;
  expect([0, 63].map(leavingAt)).toEqual([0, 0]);
  const deep = [64, 65, 964].map(leavingAt);
  expect(deep).toEqual([...deep].sort((one, other) => one - other));
  expect(deep.every((leaving) => leaving > 0)).toBe(true);
});

test("of what was tried the oldest leaves first, and none stays for ever", () => {
  const leavingOf = (depth: number, owedAt: number): number =>
    redemptionRow({ ...recordOf(waiting({ depth, attempts: 1 })), owedAt }).leaving;
  const now = 1_767_225_600_000;
  const hour = 3_600_000;
  const order = [
    leavingOf(0, 0),
    leavingOf(0, now - 25 * hour),
    leavingOf(900, now),
    leavingOf(63, now),
    // At the beginning of its user's line it counts as a day younger, in the second place as half a day.
    leavingOf(0, now - 23 * hour),
    leavingOf(1, now),
    leavingOf(0, now - 11 * hour),
    leavingOf(0, now),
    // By a clock that is wrong.
    leavingOf(0, Number.MAX_SAFE_INTEGER),
  ];
  expect(order).toEqual([...order].sort((one, other) => other - one));
  expect(new Set(order).size).toBe(order.length);
  expect(order.every((leaving) => leaving > 0 && Number.isSafeInteger(leaving))).toBe(true);
  // Somebody has looked at it, and put it off: it no longer stays whatever comes.
  expect(redemptionRow(recordOf(waiting({ dueAt: 500 }))).leaving).toBeGreaterThan(0);
});

test("of what has ended the oldest leaves first, and none stays for ever", () => {
  const leaving = [1, 2, 1_767_225_600_000].map(
    (endedAt) => redemptionRow(recordOf({ _tag: "Done", endedAt })).leaving,
  );
  expect(leaving).toEqual([...leaving].sort((one, other) => other - one));
  expect(leaving.every((one) => one > 0)).toBe(true);
});
