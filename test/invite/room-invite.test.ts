import { describe, expect, test } from "vitest";
import type { InviteRecord } from "../../src/invite/invite-life.js";
import { type RoomInvite, askedSince, roomInvites } from "../../src/invite/room-invite.js";
import type { EventLike } from "../../src/matrix/event.js";
import { event, lives, recordOf, stateOf } from "./records.js";
import { alice, carol } from "./room.js";

const invitesIn = (
  events: readonly EventLike[],
  records: readonly InviteRecord[],
  tokens = ["t1", "t2"],
): readonly RoomInvite[] => roomInvites(stateOf(events), tokens, records);

describe("which invites are pending in a room", () => {
  test("those that are neither absent, empty nor redacted, in the order of their tokens", () => {
    const events = [
      event("t2"),
      event("t1"),
      event("emptied", alice, {}),
      event("redacted", alice, { display_name: "b..." }),
    ];
    expect(
      invitesIn(events, [], ["redacted", "t2", "absent", "emptied", "t1"]).map(({ token }) => token),
    ).toEqual(["t2", "t1"]);
  });

  test("each with its record, by whichever of its tokens", () => {
    const record = recordOf(lives["Pending over t1"]);
    expect(invitesIn([event("t1"), event("t2")], [record]).map((one) => [one.token, one.record])).toEqual([
      ["t1", record],
      ["t2", record],
    ]);
  });

  test("whoever sends another event under a token has taken the invite over", () => {
    const [taken] = invitesIn([event("t1", carol)], [recordOf(lives.Pending)]);
    expect([taken?.sender, taken?.record]).toEqual([carol, undefined]);
  });

  test("of two records with one token the sender's own counts, in whichever order", () => {
    const hers = recordOf(lives.TokenStored, { sender: carol });
    const his = recordOf(lives.Pending);
    for (const records of [
      [hers, his],
      [his, hers],
    ])
      expect(invitesIn([event("t1")], records).map(({ record }) => record)).toEqual([his]);
  });

  test("an event without a readable sender is nobody's", () => {
    expect(invitesIn([{ ...event("t1"), sender: 7 }], [])).toEqual([]);
  });
});

test("since when: ours says its record, of others their event; or nothing does", () => {
  const at = (origin_server_ts: unknown): EventLike => ({ ...event("t1"), origin_server_ts });
  const since = (records: readonly InviteRecord[]) => (one: EventLike) =>
    invitesIn([one], records).map(askedSince);
  expect([at(5), at("5"), at(null), event("t1")].flatMap(since([]))).toEqual([
    5,
    undefined,
    undefined,
    undefined,
  ]);
  expect([at(5), event("t1")].flatMap(since([recordOf(lives.Pending)]))).toEqual([50, 50]);
});
