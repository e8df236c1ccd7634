import { describe, expect, test } from "vitest";
import type { StandingInvite } from "../../src/invite/standing.js";
import { isExpired, isForgotten, leftover } from "../../src/invite/tidy.js";
import { type LifeName, event, lifeNames, lives, recordOf, stateOf, t1 } from "./records.js";
import { alice, bob } from "./room.js";

describe("what has expired", () => {
  const invite = (name: LifeName): StandingInvite => ({
    token: t1,
    event: event("t1"),
    sender: alice,
    record: recordOf(lives[name]),
  });

  test("what waits longer than to a time, not what waits just as long; by the time it was last asked for", () => {
    const expired = (before: number) => lifeNames.filter((name) => isExpired(invite(name), before));
    // The age of what has ended, and stands, is that of its record.
    expect(expired(8)).toEqual(["Intended", "Revoked", "Expired"]);
    expect(expired(7)).toEqual([]);
    expect(expired(50)).toEqual(["Intended", "Revoked", "Expired"]);
    expect(expired(51)).toEqual(lifeNames.filter((name) => !name.includes("Redeemed")));
  });

  test("of those that are not ours by their own time; without one none is old", () => {
    const foreign = (more: object): StandingInvite => ({
      token: t1,
      event: { ...event("t1"), ...more },
      sender: bob,
      record: undefined,
    });
    expect(isExpired(foreign({ origin_server_ts: 9 }), 10)).toBe(true);
    expect(isExpired(foreign({ origin_server_ts: 10 }), 10)).toBe(false);
    expect(isExpired(foreign({}), Infinity)).toBe(false);
  });

  test("of the storage's own, only what is not over", () => {
    const forgotten = (before: number) =>
      lifeNames.map((name) => [name, isForgotten(recordOf(lives[name]), before)]);
    const only = (holds: (name: LifeName) => boolean) => lifeNames.map((name) => [name, holds(name)]);
    expect(forgotten(7)).toEqual(only(() => false));
    expect(forgotten(8)).toEqual(only((name) => name === "Intended"));
    expect(forgotten(51)).toEqual(only((name) => !["Redeemed", "Revoked", "Expired"].includes(name)));
  });
});

describe("what is over and stands all the same", () => {
  const leftoverOf = (name: LifeName, membership: string, events = [event("t1"), event("t2")]) => {
    const state = stateOf(events, membership);
    const record = recordOf(lives[name]);
    return leftover(state, { token: t1, event: event("t1"), sender: alice, record });
  };
  /** Of each life, while Bob is invited, and while he is not. */
  const table: Record<LifeName, readonly [unknown, unknown]> = {
    Intended: [undefined, undefined],
    Asked: [undefined, undefined],
    Minted: [undefined, undefined],
    Pending: [undefined, undefined],
    "Minted over t1": ["Superseded", "Superseded"],
    "Pending over t1": ["Superseded", "Superseded"],
    Redeemed: [undefined, "Spent"],
    Revoked: ["Ended", "Ended"],
    Expired: ["Ended", "Ended"],
    "Asked, it was Pending": [undefined, undefined],
    "Asked, it was Pending over t1": ["Superseded", "Superseded"],
    "Asked, it was Redeemed": [undefined, "Spent"],
    "Asked, it was Revoked": ["Ended", "Ended"],
    "Asked, it was Expired": ["Ended", "Ended"],
  };

  test.each(lifeNames)("%s", (name) => {
    const [invited, outside] = table[name];
    expect(leftoverOf(name, "invite")).toBe(invited);
    for (const membership of ["join", "leave", "ban", "knock"])
      expect([membership, leftoverOf(name, membership)]).toEqual([membership, outside]);
  });

  test.each([["absent", [event("t1")]] as const, ["empty", [event("t1"), event("t2", alice, {})]] as const])(
    "an earlier token goes when the new one has come into the room, not before: it is %s",
    (_, events) => {
      expect(leftoverOf("Minted over t1", "leave", [...events])).toBeUndefined();
      expect(leftoverOf("Pending over t1", "leave", [...events])).toBe("Superseded");
    },
  );

  test("nothing is known of what is not ours", () => {
    const foreign = { token: t1, event: event("t1"), sender: bob, record: undefined };
    expect(leftover(stateOf([event("t1")]), foreign)).toBeUndefined();
  });
});
