import type { InviteLife, SettledLife } from "../../invite/life.js";
import { bob, minted, pending, token } from "./samples.js";

const made = (newest: string, standing: readonly string[]) => ({
  minted: minted(newest),
  askedAt: 1_767_225_600_222,
  standing: standing.map(token),
});

/** Tokens stand in the room beside the one that was minted last. */
export const withStanding = (newest: string, ...standing: readonly string[]): SettledLife => ({
  _tag: "Minted",
  ...made(newest, standing),
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
  "asked over tokens that stand": { _tag: "Asked", at: 9, before: withStanding("n1", "n2", "n3") },
  minted: withStanding("minted"),
  "minted over tokens that stand": withStanding("m1", "m2", "m3"),
  pending: pending("pending"),
  "pending over tokens that stand": { _tag: "Pending", ...made("p1", ["p2", "p3"]) },
  redeemed: redeemed("r1", "r2"),
  "asked after it was redeemed": { _tag: "Asked", at: 9, before: redeemed("before") },
  revoked: { _tag: "Revoked", tokens: [token("v1"), token("v2")] },
  "revoked before anything was minted": { _tag: "Revoked", tokens: [] },
  expired: { _tag: "Expired", tokens: [token("e1")] },
};
