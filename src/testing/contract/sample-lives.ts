import type { InviteLife, SettledLife } from "../../invite/invite-life.js";
import { bob, storedInvite, pending, token } from "./samples.js";

const made = (newest: string, earlier: readonly string[]) => ({
  storedInvite: storedInvite(newest),
  askedAt: 1_767_225_600_222,
  earlierTokens: earlier.map(token),
});

/** Tokens stand in the room beside the one that was stored last. */
export const withEarlierTokens = (newest: string, ...earlier: readonly string[]): SettledLife => ({
  _tag: "TokenStored",
  ...made(newest, earlier),
});

const redeemed = (...tokens: readonly string[]): SettledLife => ({
  _tag: "Redeemed",
  by: bob,
  tokens: tokens.map(token),
});

/** A life in each state that there is. */
export const everyLife: Readonly<Record<string, InviteLife>> = {
  intended: { _tag: "Intended" },
  asked: { _tag: "Asked", at: 1_767_225_600_123, before: { _tag: "Intended" } },
  "asked, after an answer was lost": { _tag: "Asked", at: 9, lostAt: 0, before: pending("pending-before") },
  "asked over tokens that stand": { _tag: "Asked", at: 9, before: withEarlierTokens("n1", "n2", "n3") },
  "token stored": withEarlierTokens("stored"),
  "token stored over tokens that stand": withEarlierTokens("m1", "m2", "m3"),
  pending: pending("pending"),
  "pending over tokens that stand": { _tag: "Pending", ...made("p1", ["p2", "p3"]) },
  redeemed: redeemed("r1", "r2"),
  "asked after it was redeemed": { _tag: "Asked", at: 9, before: redeemed("before") },
  revoked: { _tag: "Revoked", tokens: [token("v1"), token("v2")] },
  "revoked before any token was stored": { _tag: "Revoked", tokens: [] },
  expired: { _tag: "Expired", tokens: [token("e1")] },
};
