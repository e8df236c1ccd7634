import { describe, expect, test } from "vitest";
import {
  type InviteLife,
  type SettledLife,
  type Transition,
  addressHash,
  advance,
  endsBy,
  inviteKey,
  mayBePending,
  sinceOf,
  tokensOf,
} from "../../src/invite/invite-life.js";
import { type StoredInvite, type Token, parseStoredInvite } from "../../src/invite/stored-invite.js";
import { parseServerName } from "../../src/matrix/ids.js";
import { nodeCrypto } from "../../src/node/crypto.js";
import { portableCrypto } from "../../src/portable/crypto.js";
import { parseThreepid } from "../../src/threepid/threepid.js";
import { recordOf } from "./records.js";
import { alice, bob, carol, email, longTermKey, rightOf, room, validityUrl, written } from "./room.js";

const storedWith = (token: string): StoredInvite =>
  rightOf(
    parseStoredInvite(
      { token, public_keys: [{ public_key: written(longTermKey), key_validity_url: validityUrl }] },
      email("bob@two.example"),
    ),
  );
const old = storedWith("old");
const storedInvite = storedWith("new");

const intended = { _tag: "Intended" } as const;
const pendingOld = { _tag: "Pending", storedInvite: old, askedAt: 0, earlierTokens: [] } as const;
const storedOld = { _tag: "TokenStored", storedInvite: old, askedAt: 0, earlierTokens: [] } as const;
const redeemedOld = { _tag: "Redeemed", by: bob, tokens: [old.token] } as const;
const revokedOld = { _tag: "Revoked", tokens: [old.token] } as const;
const expiredOld = { _tag: "Expired", tokens: [old.token] } as const;

const lives = {
  Intended: intended,
  Asked: { _tag: "Asked", at: 1, before: intended },
  "Asked after a loss": { _tag: "Asked", at: 1, lostAt: 0, before: intended },
  "Asked for a resend": { _tag: "Asked", at: 1, before: pendingOld },
  "Asked before the note": { _tag: "Asked", at: 1, before: storedOld },
  "Asked again after the invite was redeemed": { _tag: "Asked", at: 1, before: redeemedOld },
  "Asked again after it was revoked": { _tag: "Asked", at: 1, before: revokedOld },
  "Asked again after it expired": { _tag: "Asked", at: 1, before: expiredOld },
  TokenStored: { _tag: "TokenStored", storedInvite, askedAt: 1, earlierTokens: [] },
  "TokenStored for a resend": { _tag: "TokenStored", storedInvite, askedAt: 1, earlierTokens: [old.token] },
  Pending: { _tag: "Pending", storedInvite, askedAt: 1, earlierTokens: [] },
  "Pending over a late token": { _tag: "Pending", storedInvite, askedAt: 1, earlierTokens: [old.token] },
  Redeemed: { _tag: "Redeemed", by: bob, tokens: [storedInvite.token] },
  Revoked: { _tag: "Revoked", tokens: [storedInvite.token] },
  Expired: { _tag: "Expired", tokens: [storedInvite.token] },
} as const satisfies Record<string, InviteLife>;

const transitions = {
  Ask: { _tag: "Ask", at: 2 },
  Answer: { _tag: "Answer", storedInvite },
  NothingSent: { _tag: "NothingSent" },
  Append: { _tag: "Append", superseded: [] },
  "Append over the old": { _tag: "Append", superseded: [old.token] },
  Redeem: { _tag: "Redeem", by: carol },
  Revoke: { _tag: "Revoke" },
  Expire: { _tag: "Expire" },
} as const satisfies Record<string, Transition>;

type Next = Partial<Record<keyof typeof transitions, InviteLife>>;

const stopped = (...tokens: readonly Token[]): Next => ({
  Revoke: { _tag: "Revoked", tokens },
  Expire: { _tag: "Expired", tokens },
});
const redeemed = (...tokens: readonly Token[]): Next => ({
  Redeem: { _tag: "Redeemed", by: carol, tokens },
});
const settled = (before: SettledLife): Next => ({ Ask: { _tag: "Asked", at: 2, before } });
const appended: InviteLife = { _tag: "Pending", storedInvite, askedAt: 1, earlierTokens: [] };

/** What can follow when an answer is awaited, the last one having been lost or not. */
const awaited = (before: SettledLife, ...earlierTokens: readonly Token[]): Next => ({
  Ask: { _tag: "Asked", at: 2, lostAt: 1, before },
  Answer: { _tag: "TokenStored", storedInvite, askedAt: 1, earlierTokens },
  NothingSent: before,
  ...stopped(...earlierTokens),
});

/** The table of the source; what is not named here does not fit. */
const table: Record<keyof typeof lives, Next> = {
  Intended: { ...settled(lives.Intended), ...stopped() },
  Asked: awaited(intended),
  "Asked after a loss": {
    ...awaited(intended),
    // The mail of the earlier request may be out as much as before.
    NothingSent: { _tag: "Asked", at: 0, before: intended },
  },
  "Asked for a resend": { ...awaited(pendingOld, old.token), ...redeemed(old.token) },
  "Asked before the note": { ...awaited(storedOld, old.token), ...redeemed(old.token) },
  // Tokens of an invite that has ended may stand as well: the next append empties them.
  "Asked again after the invite was redeemed": awaited(redeemedOld, old.token),
  "Asked again after it was revoked": awaited(revokedOld, old.token),
  "Asked again after it expired": awaited(expiredOld, old.token),
  TokenStored: {
    ...settled(lives.TokenStored),
    Append: appended,
    "Append over the old": appended,
    ...redeemed(storedInvite.token),
    ...stopped(storedInvite.token),
  },
  "TokenStored for a resend": {
    ...settled(lives["TokenStored for a resend"]),
    // What was not there to be emptied may come yet.
    Append: { ...appended, earlierTokens: [old.token] },
    "Append over the old": appended,
    ...redeemed(storedInvite.token, old.token),
    ...stopped(storedInvite.token, old.token),
  },
  Pending: { ...settled(lives.Pending), ...redeemed(storedInvite.token), ...stopped(storedInvite.token) },
  "Pending over a late token": {
    ...settled(lives["Pending over a late token"]),
    ...redeemed(storedInvite.token, old.token),
    ...stopped(storedInvite.token, old.token),
  },
  Redeemed: settled(lives.Redeemed),
  Revoked: settled(lives.Revoked),
  Expired: settled(lives.Expired),
};

const keysOf = <K extends string>(object: Record<K, unknown>): readonly K[] => Object.keys(object) as K[];

const rows = keysOf(lives).flatMap((life) =>
  keysOf(transitions).map((transition) => [life, transition, table[life][transition]] as const),
);

describe("every transition in every state", () => {
  test.each(rows)("%s, %s", (life, transition, next) => {
    expect(advance(lives[life], transitions[transition])).toEqual(next);
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
    ["Asked again after it expired", ["old"]],
    ["TokenStored", ["new"]],
    ["TokenStored for a resend", ["new", "old"]],
    ["Pending", ["new"]],
    ["Pending over a late token", ["new", "old"]],
    ["Redeemed", ["new"]],
    ["Revoked", ["new"]],
    ["Expired", ["new"]],
  ]);
});

test("a token is never its own predecessor: an identity server that repeats one", () => {
  const asked: InviteLife = { _tag: "Asked", at: 1, before: lives.Pending };
  expect(advance(asked, transitions.Answer)).toEqual(lives.TokenStored);
});

const livesWhere = (holds: (life: InviteLife) => boolean) =>
  keysOf(lives).filter((life) => holds(lives[life]));

const redeemable = ["TokenStored", "TokenStored for a resend", "Pending", "Pending over a late token"];

test("a redemption by whichever token ends an invite, also while the next is asked for", () => {
  const redeemedBy = (token: string) => livesWhere((life) => endsBy(life, token, "Redeem"));
  expect(redeemedBy("new")).toEqual(redeemable);
  expect(redeemedBy("old")).toEqual([
    "Asked for a resend",
    "Asked before the note",
    "TokenStored for a resend",
    "Pending over a late token",
  ]);
  expect(redeemedBy("other")).toEqual([]);
});

test("a revocation of the newest token ends an invite, unless the next is asked for", () => {
  const revokedBy = (token: string) => livesWhere((life) => endsBy(life, token, "Revoke"));
  expect(revokedBy("new")).toEqual(redeemable);
  expect(revokedBy("old")).toEqual([]);
});

test("a token may be in the room while it is the newest, and its invite was not ended from here", () => {
  expect(livesWhere((life) => mayBePending(life, "new"))).toEqual([...redeemable, "Redeemed"]);
  expect(livesWhere((life) => mayBePending(life, "old"))).toEqual([
    "Asked for a resend",
    "Asked before the note",
    "Asked again after the invite was redeemed",
  ]);
});

test("the age of an invite counts from when it was last asked for", () => {
  const since = (life: InviteLife) => sinceOf(recordOf(life));
  expect([lives.Intended, lives.Asked, lives.TokenStored, lives.Pending, lives.Expired].map(since)).toEqual([
    7, 1, 1, 1, 7,
  ]);
});

describe("what an address counts and is found under", () => {
  const secret = new Uint8Array(32).fill(7);
  const hash = (address: string, key = secret, crypto = nodeCrypto) =>
    addressHash(crypto, key, email(address));

  test("is one, whatever the engine and the spelling, and none of the keys of its invites", () => {
    expect(hash("BOB@Two.Example", secret, portableCrypto)).toBe(hash("bob@two.example"));
    expect(hash("bob@two.example")).toMatch(/^[0-9A-Za-z_-]{43}$/);
  });

  test("differs by address, medium and secret", () => {
    const phone = addressHash(nodeCrypto, secret, rightOf(parseThreepid("msisdn", "18005552067")));
    const hashes = [
      hash("bob@two.example"),
      hash("bob@three.example"),
      hash("bob@two.example", new Uint8Array(32)),
      phone,
    ];
    expect(new Set(hashes).size).toBe(hashes.length);
  });
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
