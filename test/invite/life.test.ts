import { describe, expect, test } from "vitest";
import {
  type Happening,
  type InviteLife,
  type SettledLife,
  advance,
  inviteKey,
  isPendingUnder,
  tokensOf,
} from "../../src/invite/life.js";
import { type MintedInvite, parseMintedInvite } from "../../src/invite/minted.js";
import { parseServerName } from "../../src/matrix/ids.js";
import { nodeCrypto } from "../../src/node/crypto.js";
import { portableCrypto } from "../../src/portable/crypto.js";
import { parseThreepid } from "../../src/threepid/threepid.js";
import { alice, bob, carol, email, longTermKey, rightOf, room, validityUrl, written } from "./room.js";

const mintedWith = (token: string): MintedInvite =>
  rightOf(
    parseMintedInvite(
      { token, public_keys: [{ public_key: written(longTermKey), key_validity_url: validityUrl }] },
      email("bob@two.example"),
    ),
  );
const old = mintedWith("old");
const minted = mintedWith("new");

const intended = { _tag: "Intended" } as const;
const pendingOld = { _tag: "Pending", minted: old } as const;
const mintedOld = { _tag: "Minted", minted: old, standing: [] } as const;
const redeemedOld = { _tag: "Redeemed", minted: old, by: bob } as const;
const revokedOld = { _tag: "Revoked", minted: old } as const;

const lives = {
  Intended: intended,
  Asked: { _tag: "Asked", at: 1, before: intended },
  "Asked after a loss": { _tag: "Asked", at: 1, lostAt: 0, before: intended },
  "Asked for a resend": { _tag: "Asked", at: 1, before: pendingOld },
  "Asked before the note": { _tag: "Asked", at: 1, before: mintedOld },
  "Asked again after the invite was redeemed": { _tag: "Asked", at: 1, before: redeemedOld },
  "Asked again after it was revoked": { _tag: "Asked", at: 1, before: revokedOld },
  Minted: { _tag: "Minted", minted, standing: [] },
  "Minted for a resend": { _tag: "Minted", minted, standing: [old.token] },
  Pending: { _tag: "Pending", minted },
  Redeemed: { _tag: "Redeemed", minted, by: bob },
  Revoked: { _tag: "Revoked", minted },
} as const satisfies Record<string, InviteLife>;

const happenings = {
  Ask: { _tag: "Ask", at: 2 },
  Answer: { _tag: "Answer", minted },
  NothingSent: { _tag: "NothingSent" },
  Append: { _tag: "Append" },
  Redeem: { _tag: "Redeem", by: carol },
  Revoke: { _tag: "Revoke" },
} as const satisfies Record<string, Happening>;

type Next = Partial<Record<keyof typeof happenings, InviteLife>>;

const settled = (before: SettledLife): Next => ({ Ask: { _tag: "Asked", at: 2, before } });
const ends: Next = {
  Redeem: { _tag: "Redeemed", minted, by: carol },
  Revoke: { _tag: "Revoked", minted },
};

/** The table of the source; what is not named here does not fit. */
const table: Record<keyof typeof lives, Next> = {
  Intended: settled(lives.Intended),
  Asked: {
    Ask: { _tag: "Asked", at: 2, lostAt: 1, before: intended },
    Answer: { _tag: "Minted", minted, standing: [] },
    NothingSent: intended,
  },
  "Asked after a loss": {
    Ask: { _tag: "Asked", at: 2, lostAt: 1, before: intended },
    Answer: { _tag: "Minted", minted, standing: [] },
    // The mail of the earlier request may be out as much as before.
    NothingSent: { _tag: "Asked", at: 0, before: intended },
  },
  "Asked for a resend": {
    Ask: { _tag: "Asked", at: 2, lostAt: 1, before: pendingOld },
    Answer: { _tag: "Minted", minted, standing: [old.token] },
    NothingSent: pendingOld,
  },
  "Asked before the note": {
    Ask: { _tag: "Asked", at: 2, lostAt: 1, before: mintedOld },
    Answer: { _tag: "Minted", minted, standing: [old.token] },
    NothingSent: mintedOld,
  },
  "Asked again after the invite was redeemed": {
    Ask: { _tag: "Asked", at: 2, lostAt: 1, before: redeemedOld },
    Answer: { _tag: "Minted", minted, standing: [] },
    NothingSent: redeemedOld,
  },
  "Asked again after it was revoked": {
    Ask: { _tag: "Asked", at: 2, lostAt: 1, before: revokedOld },
    Answer: { _tag: "Minted", minted, standing: [] },
    NothingSent: revokedOld,
  },
  Minted: { ...settled(lives.Minted), Append: { _tag: "Pending", minted }, ...ends },
  "Minted for a resend": {
    ...settled(lives["Minted for a resend"]),
    Append: { _tag: "Pending", minted },
    ...ends,
  },
  Pending: { ...settled(lives.Pending), ...ends },
  Redeemed: settled(lives.Redeemed),
  Revoked: settled(lives.Revoked),
};

const keysOf = <K extends string>(object: Record<K, unknown>): readonly K[] => Object.keys(object) as K[];

const rows = keysOf(lives).flatMap((life) =>
  keysOf(happenings).map((happening) => [life, happening, table[life][happening]] as const),
);

describe("every happening in every state", () => {
  test.each(rows)("%s, %s", (life, happening, next) => {
    expect(advance(lives[life], happenings[happening])).toEqual(next);
  });
});

test("the tokens by which an invite may be found, its newest first", () => {
  expect(keysOf(lives).map((life) => [life, tokensOf(lives[life])])).toEqual([
    ["Intended", []],
    ["Asked", []],
    ["Asked after a loss", []],
    ["Asked for a resend", ["old"]],
    ["Asked before the note", ["old"]],
    ["Asked again after the invite was redeemed", ["old"]],
    ["Asked again after it was revoked", ["old"]],
    ["Minted", ["new"]],
    ["Minted for a resend", ["new", "old"]],
    ["Pending", ["new"]],
    ["Redeemed", ["new"]],
    ["Revoked", ["new"]],
  ]);
});

test("pending under exactly this token", () => {
  const under = (token: string) => keysOf(lives).filter((life) => isPendingUnder(lives[life], token));
  expect(under("new")).toEqual(["Minted", "Minted for a resend", "Pending"]);
  expect(under("old")).toEqual([]);
});

describe("the key that an invite is stored under", () => {
  const secret = new Uint8Array(32).fill(7);
  const of = {
    roomId: room().roomId,
    sender: alice,
    idServer: rightOf(parseServerName("id.example")),
    threepid: email("bob@two.example"),
  };

  test("is the same for the same, whatever the engine and the spelling of the address", () => {
    const key = inviteKey(nodeCrypto, secret, of);
    expect(inviteKey(portableCrypto, secret, { ...of, threepid: email("BOB@Two.Example") })).toBe(key);
    expect(key).toMatch(/^[0-9A-Za-z_-]{43}$/);
  });

  test("differs by room, sender, identity server, medium, address and secret", () => {
    const phone = rightOf(parseThreepid("msisdn", "18005552067"));
    const keys = [
      inviteKey(nodeCrypto, secret, of),
      inviteKey(nodeCrypto, secret, { ...of, roomId: room("12").roomId }),
      inviteKey(nodeCrypto, secret, { ...of, sender: carol }),
      inviteKey(nodeCrypto, secret, { ...of, idServer: rightOf(parseServerName("id.example:1")) }),
      inviteKey(nodeCrypto, secret, { ...of, threepid: phone }),
      inviteKey(nodeCrypto, secret, { ...of, threepid: email("bob@three.example") }),
      inviteKey(nodeCrypto, new Uint8Array(32).fill(8), of),
    ];
    expect(new Set(keys).size).toBe(keys.length);
  });
});
