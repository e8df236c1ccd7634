import fc from "fast-check";
import { parseUserId } from "matrix-third-party-invites/matrix";
import { describe, expect, it } from "vitest";
import { type ClaimSlots, type Claimed, claimSlots } from "../../src/flows/steps/claim-slots.js";
import type { RedemptionId } from "../../src/invite/redemption.js";
import { anna, must, room, signedBy } from "./samples.js";

const signed = signedBy(anna, "t");
let made = 0;

/** A claimed row for a server: vouched or not. */
const row = (server: string, isVouched = false): Claimed => {
  made += 1;
  return {
    mark: String(made),
    until: 0,
    value: {
      id: String(made) as RedemptionId,
      roomId: room,
      token: "t",
      mxid: anna,
      sender: must(parseUserId(`@bob:${server}`)),
      owedAt: 0,
      state: { _tag: "Waiting", signed, isVouched, turn: 0, depth: 0, dueAt: 0, attempts: 0 },
    },
  };
};

const rows = (count: number, server: (at: number) => string, isVouched = false): readonly Claimed[] =>
  Array.from({ length: count }, (_, at) => row(server(at), isVouched));

const each = (at: number): string => `s${at}.example`;
const one = (): string => "one.example";

const openSlots = (most = 64): ClaimSlots => {
  let turn = 0;
  return claimSlots(most, () => turn++);
};

/** Begins all that may begin. */
const beginAll = (slots: ClaimSlots): readonly Claimed[] => {
  const begun: Claimed[] = [];
  for (let next = slots.next(); next !== undefined; next = slots.next()) begun.push(next);
  return begun;
};

const isVouched = ({ value }: Claimed): boolean => value.state.isVouched;

describe("in flight", () => {
  it("64 in all, and then nothing is claimed", () => {
    const slots = openSlots();
    slots.park(rows(100, each, true));
    const begun = beginAll(slots);
    expect(begun).toHaveLength(64);
    expect(slots.question()).toBeUndefined();
    // One for one.
    for (const ended of begun.slice(0, 3)) slots.giveBack(ended);
    expect(beginAll(slots)).toHaveLength(3);
  });

  it("one in sixteen is kept for those that are vouched", () => {
    const slots = openSlots();
    slots.park(rows(100, each));
    expect(beginAll(slots)).toHaveLength(60);
    slots.park(rows(100, (at) => `v${at}.example`, true));
    expect(beginAll(slots).map(isVouched)).toEqual(Array.from({ length: 4 }, () => true));
  });

  it("those that are vouched may have all of it, and begin before others that were parked earlier", () => {
    const slots = openSlots();
    slots.park([...rows(64, each), ...rows(64, (at) => `v${at}.example`, true)]);
    expect(beginAll(slots).map(isVouched)).toEqual(Array.from({ length: 64 }, () => true));
  });

  it("four for one server, the fourth for one that is vouched", () => {
    const slots = openSlots();
    slots.park(rows(10, one));
    expect(beginAll(slots)).toHaveLength(3);
    slots.park(rows(10, one, true));
    expect(beginAll(slots).map(isVouched)).toEqual([true]);
    // Another server is not concerned.
    slots.park(rows(10, () => "other.example"));
    expect(beginAll(slots)).toHaveLength(3);
  });

  it("four for one server, all of them vouched", () => {
    const slots = openSlots();
    slots.park([...rows(10, one, true), ...rows(10, one)]);
    expect(beginAll(slots).map(isVouched)).toEqual([true, true, true, true]);
  });

  it.each([
    [1, 1, 1],
    [2, 1, 2],
    [4, 3, 4],
    [100, 93, 100],
  ])("of %i in all, %i that are not vouched and %i that are", (most, others, vouched) => {
    for (const [expected, are] of [
      [others, false],
      [vouched, true],
    ] as const) {
      const slots = openSlots(most);
      slots.park(rows(200, each, are));
      expect(beginAll(slots)).toHaveLength(expected);
    }
  });

  it("whatever is parked, begun and given back: never more than these, and nothing is lost", () => {
    const action = fc.oneof(
      fc.record({ park: fc.constantFrom("a.example", "b.example", "c.example"), vouched: fc.boolean() }),
      fc.record({ giveBack: fc.nat(20) }),
      fc.constant("begin" as const),
    );
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9 }), fc.array(action, { maxLength: 120 }), (most, actions) => {
        const slots = openSlots(most);
        const running: Claimed[] = [];
        let parked = 0;
        for (const step of actions) {
          if (step === "begin") {
            const next = slots.next();
            if (next !== undefined) running.push(next);
          } else if ("park" in step) {
            slots.park([row(step.park, step.vouched)]);
            parked += 1;
          } else {
            const [ended] = running.splice(step.giveBack, 1);
            if (ended !== undefined) slots.giveBack(ended);
          }
          const others = running.filter((held) => !isVouched(held));
          expect(running.length).toBeLessThanOrEqual(most);
          expect(others.length).toBeLessThanOrEqual(Math.max(1, Math.floor((most * 15) / 16)));
          for (const name of ["a.example", "b.example", "c.example"]) {
            const there = (held: Claimed): boolean => held.value.sender.endsWith(`:${name}`);
            expect(running.filter(there).length).toBeLessThanOrEqual(4);
            expect(others.filter(there).length).toBeLessThanOrEqual(3);
          }
          const free = slots.question()?.free ?? 0;
          expect(free).toBeLessThanOrEqual(8);
        }
        // Each that was parked begins when there is room, once.
        const seen = new Set(running);
        for (let rounds = 0; rounds < 200; rounds += 1) {
          for (const next of beginAll(slots)) running.push(next);
          for (const held of running.splice(0)) {
            seen.add(held);
            slots.giveBack(held);
          }
        }
        expect(seen.size).toBeLessThanOrEqual(parked);
        expect(slots.next()).toBeUndefined();
        expect(slots.question()?.free).toBe(Math.min(Math.max(1, Math.floor((most * 15) / 16)), 8));
      }),
    );
  });
});

describe("what is claimed", () => {
  it("eight at a time, and not more than have a slot", () => {
    const slots = openSlots(20);
    const free: (number | undefined)[] = [];
    for (let claims = 0; claims < 4; claims += 1) {
      const question = slots.question();
      free.push(question?.free);
      slots.park(rows(question?.free ?? 0, (at) => `c${claims}-${at}.example`, true));
      beginAll(slots);
    }
    expect(free).toEqual([8, 8, 4, undefined]);
  });

  it("by turns at vouched rows first and at the others, one claim in twelve at those that come again", () => {
    const slots = openSlots();
    const orders = Array.from({ length: 24 }, () => slots.question()?.lanes.map(({ lane }) => lane));
    const vouchedFirst = ["vouched", "unvouched", "vouched-again", "unvouched-again"];
    const othersFirst = ["unvouched", "vouched", "vouched-again", "unvouched-again"];
    const againFirst = ["vouched-again", "unvouched-again", "vouched", "unvouched"];
    const pairs = Array.from({ length: 5 }, () => [vouchedFirst, othersFirst]).flat();
    const twelve = [...pairs, vouchedFirst, againFirst];
    expect(orders).toEqual([...twelve, ...twelve]);
  });

  it("whatever the claim: no lane is left out while there is room, else vouched ones alone", () => {
    const lanesOver = (slots: ClaimSlots) =>
      Array.from({ length: 12 }, () => new Set(slots.question()?.lanes.map(({ lane }) => lane)));
    const slots = openSlots();
    expect(lanesOver(slots).map(({ size }) => size)).toEqual(Array.from({ length: 12 }, () => 4));
    slots.park(rows(60, each));
    beginAll(slots);
    for (const lanes of lanesOver(slots)) expect(lanes).toEqual(new Set(["vouched", "vouched-again"]));
  });

  /** The servers that a claim leaves out, in the lanes of each class. */
  const leftOut = (slots: ClaimSlots) => {
    const lanes = slots.question()?.lanes ?? [];
    const of = (names: readonly string[]) =>
      lanes.filter(({ lane }) => names.includes(lane)).map(({ except }) => except);
    return { vouched: of(["vouched", "vouched-again"]), others: of(["unvouched", "unvouched-again"]) };
  };
  const both = (...servers: string[]) => [servers, servers];

  it("no more others than have a slot: parked ones are not in the way of those that are vouched", () => {
    const slots = openSlots();
    for (let question = slots.question(); question?.lanes.length === 4; question = slots.question())
      slots.park(rows(question.free, each));
    beginAll(slots);
    expect(slots.question()).toMatchObject({
      free: 4,
      lanes: [{ lane: "vouched" }, { lane: "vouched-again" }],
    });
  });

  it("nothing for a server that has all its slots", () => {
    const slots = openSlots();
    slots.park(rows(3, one));
    const [first] = beginAll(slots);
    expect(leftOut(slots)).toEqual({ vouched: both(), others: both("one.example") });
    slots.park(rows(1, one, true));
    beginAll(slots);
    expect(leftOut(slots)).toEqual({ vouched: both("one.example"), others: both("one.example") });
    if (first !== undefined) slots.giveBack(first);
    expect(leftOut(slots)).toEqual({ vouched: both(), others: both() });
  });

  it("nothing for a server whose rows wait for a slot already, in lanes of their class", () => {
    const slots = openSlots();
    slots.park(rows(4, one));
    expect(beginAll(slots)).toHaveLength(3);
    slots.park(rows(1, () => "two.example", true));
    expect(leftOut(slots)).toEqual({ vouched: both("two.example"), others: both("one.example") });
    // Parked rows hold a place: so many fewer are claimed.
    const few = openSlots(4);
    few.park(rows(4, one));
    expect(beginAll(few)).toHaveLength(3);
    expect(few.question()).toBeUndefined();
  });
});
