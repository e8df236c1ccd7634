import { expect, test } from "vitest";
import type { InviteLife, InviteRecord } from "../../src/invite/invite-life.js";
import { type Viewer, listing } from "../../src/invite/listing.js";
import { lives, recordOf as anyRecord } from "./records.js";
import { alice, bob, carol, email, inviteContent, room } from "./room.js";

const threepid = email("zoe@example.com");
const recordOf = (life: InviteLife): InviteRecord =>
  anyRecord(life, { details: { reason: "come in" }, threepid });
const { idServer } = recordOf(lives.Intended);
const pending = lives.Pending;
const redeemed = lives.Redeemed;

const empty = room("10");
const full = room("10", { more: [empty.thirdPartyInvite(alice, inviteContent, "t1")] });

const seen = (record: InviteRecord, viewer: Viewer, { state } = full) =>
  listing(state, ["t1"], [record], viewer);

test("of one that stands: what the room shows, to everybody; the address to its inviter alone", () => {
  const shown = {
    state: "Pending",
    sender: alice,
    token: "t1",
    displayName: "b...@t...",
    since: 50,
    idServer,
  };
  expect(seen(recordOf(pending), alice)).toStrictEqual([{ ...shown, threepid }]);
  expect(seen(anyRecord(pending), alice)).toStrictEqual([shown]);
  for (const viewer of [bob, carol, "host"] as const)
    expect(seen(recordOf(pending), viewer)).toStrictEqual([shown]);
});

test("of one that does not: nothing to other members, no address to the host", () => {
  const shown = { state: "Revoked", sender: alice, since: 50, idServer };
  expect(seen(recordOf(pending), alice, empty)).toStrictEqual([{ ...shown, threepid }]);
  expect(seen(recordOf(pending), "host", empty)).toStrictEqual([shown]);
  expect(seen(recordOf(pending), carol, empty)).toStrictEqual([]);
});

test("one whose earlier token stands is shown once, as that", () => {
  expect(seen(recordOf(lives["TokenStored over t1"]), alice)).toMatchObject([
    { state: "Pending", token: "t1" },
  ]);
});

test("who redeemed it", () => {
  expect(seen(recordOf(redeemed), carol)).toMatchObject([
    { state: "Redeemed", redeemedBy: bob, token: "t1" },
  ]);
  expect(seen(recordOf(redeemed), alice, empty)).toMatchObject([{ state: "Redeemed", redeemedBy: bob }]);
});

test("one that was redeemed, and asked for again: the token that stands was redeemed", () => {
  expect(seen(recordOf(lives["Asked, it was Redeemed"]), alice)).toMatchObject([
    { state: "Redeemed", redeemedBy: bob },
  ]);
});

test("details, keys and the like are shown to nobody", () => {
  for (const viewer of [alice, carol, "host"] as const)
    for (const where of [full, empty])
      expect(JSON.stringify(seen(recordOf(pending), viewer, where))).not.toMatch(
        /come in|b\.\.\."|public|askedAt/,
      );
});

test("a record under somebody else's event is not theirs: its inviter sees it as revoked", () => {
  const taken = room("10", { more: [empty.thirdPartyInvite(carol, inviteContent, "t1")] });
  const theirs = { state: "Pending", sender: carol, token: "t1", displayName: "b...@t..." };
  expect(seen(recordOf(pending), alice, taken)).toStrictEqual([
    theirs,
    { state: "Revoked", sender: alice, since: 50, idServer, threepid },
  ]);
  expect(seen(recordOf(pending), carol, taken)).toStrictEqual([theirs]);
});

test("a display name that is no text is none", () => {
  const odd = room("10", {
    more: [empty.thirdPartyInvite(bob, { ...inviteContent, display_name: ["x"] }, "t1")],
  });
  expect(listing(odd.state, ["t1"], [], alice)).toStrictEqual([
    { state: "Pending", sender: bob, token: "t1" },
  ]);
});
