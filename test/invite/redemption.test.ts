import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import {
  type FailureDetails,
  type RedemptionState,
  type RedemptionTransition,
  type WaitingRedemption,
  advanceRedemption,
  announcedForMs,
  announcement,
  redemptionId,
} from "../../src/invite/redemption.js";
import { parseSigned } from "../../src/invite/signed.js";
import type { JsonObject } from "../../src/matrix/json.js";
import { nodeCrypto } from "../../src/node/crypto.js";
import { portableCrypto } from "../../src/portable/crypto.js";
import { alice, bob, carol, rightOf, room, signed } from "./room.js";

const hourMs = 3_600_000;
const trouble = (reason: string): FailureDetails => ({ reason, status: 403, errcode: "M_FORBIDDEN" });

const waiting: WaitingRedemption = {
  _tag: "Waiting",
  signed,
  isVouched: true,
  turn: 7,
  depth: 70,
  dueAt: 100,
  attempts: 2,
  last: trouble("before"),
};

const states = {
  Waiting: waiting,
  Dead: { _tag: "Dead", signed, isVouched: true, endedAt: 1, ...trouble("dead") },
  Done: { _tag: "Done", endedAt: 1 },
  Redeemed: { _tag: "Redeemed", endedAt: 1 },
  Announced: { _tag: "Announced", endedAt: 1 },
} as const satisfies Record<RedemptionState["_tag"], RedemptionState>;

/** By the names that the table of the source has for them. */
const transitions = {
  retried: { _tag: "Retry", dueAt: 500, details: trouble("now") },
  deferred: { _tag: "Defer", dueAt: 500 },
  refused: { _tag: "Refuse", at: 200, confirmMs: hourMs, details: trouble("now") },
  killed: { _tag: "Kill", at: 200, details: trouble("now") },
  done: { _tag: "Done", at: 200 },
  redeemed: { _tag: "Redeem", at: 200 },
  revived: { _tag: "Revive", at: 200 },
} as const satisfies Record<string, RedemptionTransition>;

type StateName = keyof typeof states;
type TransitionName = keyof typeof transitions;

const dead = (endedAt: number): RedemptionState => ({
  _tag: "Dead",
  signed,
  isVouched: true,
  endedAt,
  ...trouble("now"),
});

/** What is not named here does not fit. */
const table: Partial<Record<StateName, Partial<Record<TransitionName, RedemptionState>>>> = {
  Waiting: {
    retried: { ...waiting, dueAt: 500, attempts: 3, last: trouble("now") },
    deferred: { ...waiting, dueAt: 500 },
    refused: { ...waiting, refusedAt: 200, dueAt: 200 + hourMs, attempts: 3, last: trouble("now") },
    killed: dead(200),
    done: { _tag: "Done", endedAt: 200 },
    redeemed: { _tag: "Redeemed", endedAt: 200 },
  },
  Dead: {
    revived: { _tag: "Waiting", signed, isVouched: true, turn: 0, depth: 0, dueAt: 200, attempts: 1 },
  },
};

const keysOf = <K extends string>(object: Readonly<Record<K, unknown>>): readonly K[] =>
  Object.keys(object) as K[];

const rows = keysOf(states).flatMap((state) =>
  keysOf(transitions).map((transition) => [state, transition, table[state]?.[transition]] as const),
);

describe("every transition in every state", () => {
  test.each(rows)("%s, %s", (state, transition, next) => {
    expect(advanceRedemption(states[state], transitions[transition])).toEqual(next);
  });
});

test("the table in the source says the same", () => {
  const source = readFileSync(new URL("../../src/invite/redemption.ts", import.meta.url), "utf8");
  const cells = [...source.matchAll(/^ \* \|(.*)\|$/gm)].map(([, line = ""]) =>
    line.split("|").map((cell) => cell.trim()),
  );
  const [head, , ...body] = cells;
  expect(head).toEqual(["state", ...keysOf(transitions)]);
  expect(body).toEqual(
    keysOf(states).map((state) => [
      state,
      ...keysOf(transitions).map((transition) => {
        const next = table[state]?.[transition]?._tag ?? "";
        return transition === "refused" && next === "Waiting" ? "Waiting, then Dead" : next;
      }),
    ]),
  );
});

describe("who must say no twice", () => {
  const refuse = (state: RedemptionState | undefined, at: number): RedemptionState | undefined =>
    state && advanceRedemption(state, { ...transitions.refused, at });

  test.each([
    ["at once", 0, "Waiting"],
    ["a millisecond before an hour is over", hourMs - 1, "Waiting"],
    ["an hour later", hourMs, "Dead"],
    ["a day later", 24 * hourMs, "Dead"],
  ])("said again %s", (_, after, tag) => {
    expect(refuse(refuse(waiting, 200), 200 + after)).toMatchObject({ _tag: tag });
  });

  test("the first time stays the first, and counts though other things stood in the way between", () => {
    const first = refuse(waiting, 200);
    const second = refuse(first, 300);
    expect(second).toMatchObject({ refusedAt: 200, dueAt: 200 + hourMs, attempts: 4 });
    const retried = second && advanceRedemption(second, transitions.retried);
    expect(retried).toMatchObject({ refusedAt: 200, dueAt: 500 });
    expect(refuse(retried, 200 + hourMs)).toEqual(dead(200 + hourMs));
  });

  test("a first refusal from a clock ahead counts from now on", () => {
    const year = 365 * 24 * hourMs;
    const ahead = refuse(waiting, 200 + year);
    const now = refuse(ahead, 200);
    expect(now).toMatchObject({ _tag: "Waiting", refusedAt: 200, dueAt: 200 + hourMs });
    expect(refuse(now, 200 + hourMs)).toEqual(dead(200 + hourMs));
  });
});

test("what is revived does not overtake anybody, and must be refused twice anew", () => {
  const dying = advanceRedemption({ ...waiting, refusedAt: 1 }, transitions.killed);
  const revived = dying && advanceRedemption(dying, transitions.revived);
  expect(revived).toEqual(table.Dead?.revived);
});

const { roomId } = room();

const idOf = (json: JsonObject, sender = alice, crypto = nodeCrypto): string =>
  redemptionId(crypto, { roomId, sender, signed: rightOf(parseSigned(json)) });

describe("the id of a redemption", () => {
  test("is one for a proof, whatever the engine and the order of its members", () => {
    const turned = Object.fromEntries(Object.entries(signed).reverse());
    expect(idOf(turned)).toBe(idOf(signed));
    expect(idOf(signed, alice, portableCrypto)).toBe(idOf(signed));
    expect(idOf(signed)).toMatch(/^[0-9A-Za-z_-]{43}$/);
  });

  test("differs by room, sender, signature and every other member", () => {
    const other = redemptionId(nodeCrypto, {
      roomId: room("12").roomId,
      sender: alice,
      signed: rightOf(parseSigned(signed)),
    });
    const ids = [
      other,
      idOf(signed),
      idOf(signed, bob),
      idOf(signed, carol),
      idOf({ ...signed, signatures: {} }),
      idOf({ ...signed, more: 1 }),
      idOf({ ...signed, unsigned: {} }),
    ];
    expect(new Set(ids).size).toBe(ids.length);
  });

  const sorted = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

  test("is the same for two proofs only if they are the same", () => {
    const json = fc
      .dictionary(fc.string(), fc.jsonValue({ maxDepth: 2 }))
      .map((more) => ({ ...more, ...signed }));
    fc.assert(
      fc.property(json, json, (one, other) => {
        // Halves of surrogate pairs: no canonical form, and nothing is proven by them.
        const [a, b] = [idOf(one), idOf(other)];
        expect(a === b && a !== "unreadable").toBe(
          a !== "unreadable" && isDeepStrictEqual(sorted(one), sorted(other)),
        );
      }),
    );
  });

  test("is shared by what has no canonical form: it proves nothing", () => {
    const json = { ...signed, half: "\ud800" };
    const proof = { roomId, sender: alice, signed: { mxid: bob, token: "t", json } };
    expect(redemptionId(nodeCrypto, proof)).toBe("unreadable");
  });
});

describe("the note that an invite was sent", () => {
  const of = { roomId, token: "t", mxid: bob, sender: alice };
  const note = (at: number, more: Partial<typeof of> = {}) =>
    announcement(nodeCrypto, { ...of, ...more }, at);

  test("is one for a token, user and sender in five minutes", () => {
    expect(announcedForMs).toBe(300_000);
    expect(note(900_000)).toEqual({
      ...of,
      id: expect.stringMatching(/^[0-9A-Za-z_-]{43}$/) as string,
      owedAt: 900_000,
      state: { _tag: "Announced", endedAt: 900_000 },
    });
    expect(note(1_199_999).id).toBe(note(900_000).id);
    const ids = [
      note(900_000),
      note(1_200_000),
      note(900_000, { sender: carol }),
      note(900_000, { mxid: carol }),
    ];
    expect(new Set(ids.map(({ id }) => id)).size).toBe(ids.length);
  });

  test("is not the proof of the same token", () => {
    expect(note(0).id).not.toBe(idOf(signed));
  });
});
