import { describe, expect, test } from "vitest";
import {
  type Tidying,
  emptyUntidy,
  isExpired,
  isForgotten,
  leftover,
  untidyReason,
} from "../../src/invite/leftover.js";
import type { RoomInvite } from "../../src/invite/room-invite.js";
import type { EventLike } from "../../src/matrix/event.js";
import { type LifeName, event, lifeNames, lives, recordOf, stateOf, t1, t3 } from "./records.js";
import { alice, bob, carol, codeOf, decideOn, rightOf } from "./room.js";

describe("what has expired", () => {
  const invite = (name: LifeName): RoomInvite => ({
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
    const foreign = (more: object): RoomInvite => ({
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
    TokenStored: [undefined, undefined],
    Pending: [undefined, undefined],
    "TokenStored over t1": ["Superseded", "Superseded"],
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
      expect(leftoverOf("TokenStored over t1", "leave", [...events])).toBeUndefined();
      expect(leftoverOf("Pending over t1", "leave", [...events])).toBe("Superseded");
    },
  );

  test("of several earlier tokens the newest stays while the new one is not in the room", () => {
    const life = { ...lives["TokenStored over t1"], earlierTokens: [t3, t1] };
    const of = (token: string, events: readonly string[]) => {
      const state = stateOf(events.map((name) => event(name)));
      return leftover(state, { token, event: event(token), sender: alice, record: recordOf(life) });
    };
    expect(["t3", "t1"].map((token) => of(token, ["t1", "t3"]))).toEqual([undefined, "Superseded"]);
    expect(["t3", "t1"].map((token) => of(token, ["t1", "t2", "t3"]))).toEqual(["Superseded", "Superseded"]);
    expect(of("t1", ["t1"])).toBeUndefined();
  });

  test("nothing is known of what is not ours", () => {
    const foreign = { token: t1, event: event("t1"), sender: bob, record: undefined };
    expect(leftover(stateOf([event("t1")]), foreign)).toBeUndefined();
  });
});

describe("what is emptied", () => {
  const inviteOf = (token: string, name: LifeName, sender = alice): RoomInvite => ({
    token,
    event: event(token, sender),
    sender,
    record: recordOf(lives[name]),
  });
  const emptyIn = (
    events: readonly EventLike[],
    invites: readonly RoomInvite[],
    tidying: Tidying,
    { membership = "leave", userId = alice } = {},
  ) => decideOn(emptyUntidy, stateOf(events, membership), { requester: { userId }, invites, tidying });
  const leftovers: Tidying = { _tag: "Leftover" };
  const emptied = (...tokens: readonly string[]) => ({
    _tag: "Revoke",
    events: tokens.map((token) => ({ state_key: token, sender: alice, content: {} })),
  });
  const nothing = { _tag: "AlreadyRevoked", events: [] };

  test("the reason depends on which invites are to go", () => {
    const state = stateOf([event("t1")]);
    const revoked = inviteOf("t1", "Revoked");
    const pending = inviteOf("t1", "Pending");
    expect(untidyReason(state, revoked, leftovers)).toBe("Ended");
    expect(untidyReason(state, pending, leftovers)).toBeUndefined();
    expect(untidyReason(state, pending, { _tag: "Expired", before: 51 })).toBe("Expired");
    expect(untidyReason(state, pending, { _tag: "Expired", before: 50 })).toBeUndefined();
  });

  test("the leftovers alone", () => {
    const invites = [inviteOf("t1", "Revoked"), inviteOf("t2", "Pending over t1")];
    expect(rightOf(emptyIn([event("t1"), event("t2")], invites, leftovers))).toMatchObject(emptied("t1"));
    expect(rightOf(emptyIn([event("t1"), event("t2")], invites.slice(1), leftovers))).toEqual(nothing);
  });

  test("an earlier token, once the room has the new one: the event of the new one is read, too", () => {
    const earlier = [inviteOf("t1", "TokenStored over t1")];
    expect(rightOf(emptyIn([event("t1"), event("t2")], earlier, leftovers))).toMatchObject(emptied("t1"));
    expect(rightOf(emptyIn([event("t1")], earlier, leftovers))).toEqual(nothing);
  });

  test("one that was redeemed, once its user is invited no more: their member event is read, too", () => {
    const redeemed = [inviteOf("t1", "Redeemed")];
    const as = (membership: string) => rightOf(emptyIn([event("t1")], redeemed, leftovers, { membership }));
    expect(as("invite")).toEqual(nothing);
    expect(as("join")).toMatchObject(emptied("t1"));
  });

  test("those that have expired", () => {
    const invites = [inviteOf("t1", "Pending")];
    const before = (time: number) =>
      rightOf(emptyIn([event("t1")], invites, { _tag: "Expired", before: time }));
    expect(before(51)).toMatchObject(emptied("t1"));
    expect(before(50)).toEqual(nothing);
  });

  test("one whose record is gone, by the time of its event alone", () => {
    const unknown = {
      ...inviteOf("t1", "Pending"),
      event: { ...event("t1"), origin_server_ts: 5 },
      record: undefined,
    };
    expect(rightOf(emptyIn([event("t1")], [unknown], leftovers))).toEqual(nothing);
    expect(rightOf(emptyIn([event("t1")], [unknown], { _tag: "Expired", before: 6 }))).toMatchObject(
      emptied("t1"),
    );
  });

  test("what is read: who may invite, each token, and the tokens and the redeemer of each record", () => {
    const unknown = { ...inviteOf("unknown", "Pending"), record: undefined };
    const invites = [inviteOf("t1", "Pending over t1"), inviteOf("t2", "Redeemed"), unknown];
    const reads = emptyUntidy.reads({ requester: { userId: alice }, invites, tidying: leftovers });
    expect(new Set(reads.map(({ type, stateKey }) => `${type} ${stateKey}`))).toEqual(
      new Set([
        "m.room.create ",
        "m.room.power_levels ",
        `m.room.member ${alice}`,
        `m.room.member ${bob}`,
        "m.room.third_party_invite t1",
        "m.room.third_party_invite t2",
        "m.room.third_party_invite unknown",
      ]),
    );
  });

  test("not what is empty already, or has been taken over since", () => {
    const invites = [inviteOf("t1", "Revoked")];
    expect(rightOf(emptyIn([event("t1", alice, {})], invites, leftovers))).toEqual(nothing);
    expect(rightOf(emptyIn([event("t1", carol)], invites, leftovers))).toEqual(nothing);
  });

  test("not without the power", () => {
    const asked = emptyIn([event("t1")], [inviteOf("t1", "Revoked")], leftovers, { userId: carol });
    expect(codeOf(asked)).toBe("PowerTooLow");
  });
});
