import { describe, expect, test } from "vitest";
import type { InviteRecord } from "../../src/invite/life.js";
import { type StandingInvite, standingInvites, standsSince } from "../../src/invite/standing.js";
import type { EventLike } from "../../src/matrix/event.js";
import { event, lives, recordOf, stateOf } from "./records.js";
import { alice, carol } from "./room.js";

const standingIn = (
  events: readonly EventLike[],
  records: readonly InviteRecord[],
  tokens = ["t1", "t2"],
): readonly StandingInvite[] => standingInvites(stateOf(events), tokens, records);

describe("which invites stand in a room", () => {
  test("those that are neither absent, empty nor redacted, in the order of their tokens", () => {
    const events = [
      event("t2"),
      event("t1"),
      event("emptied", alice, {}),
      event("redacted", alice, { display_name: "b..." }),
    ];
    expect(
      standingIn(events, [], ["redacted", "t2", "absent", "emptied", "t1"]).map(({ token }) => token),
    ).toEqual(["t2", "t1"]);
  });

  test("each with its record, by whichever of its tokens", () => {
    const record = recordOf(lives["Pending over t1"]);
    expect(standingIn([event("t1"), event("t2")], [record]).map((one) => [one.token, one.record])).toEqual([
      ["t1", record],
      ["t2", record],
    ]);
  });

  test("whoever sends another event under a token has taken the invite over", () => {
    const [taken] = standingIn([event("t1", carol)], [recordOf(lives.Pending)]);
    expect([taken?.sender, taken?.record]).toEqual([carol, undefined]);
  });

  test("of two records with one token the sender's own counts, in whichever order", () => {
    const hers = recordOf(lives.Minted, { sender: carol });
    const his = recordOf(lives.Pending);
    for (const records of [
      [hers, his],
      [his, hers],
    ])
      expect(standingIn([event("t1")], records).map(({ record }) => record)).toEqual([his]);
  });

  test("an event without a readable sender is nobody's", () => {
    expect(standingIn([{ ...event("t1"), sender: 7 }], [])).toEqual([]);
  });
});

test("since when: ours says its record, of others their event; or nothing does", () => {
  const at = (origin_server_ts: unknown): EventLike => ({ ...event("t1"), origin_server_ts });
  const since = (records: readonly InviteRecord[]) => (one: EventLike) =>
    standingIn([one], records).map(standsSince);
  expect([at(5), at("5"), at(null), event("t1")].flatMap(since([]))).toEqual([
    5,
    undefined,
    undefined,
    undefined,
  ]);
  expect([at(5), event("t1")].flatMap(since([recordOf(lives.Pending)]))).toEqual([50, 50]);
});
