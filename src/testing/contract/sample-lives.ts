import type { InviteLife, SettledLife } from "../../invite/life.js";
import { bob, minted, pending, token } from "./samples.js";

/** Two tokens stand in the room beside the one that was minted last. */
export const withStanding = (newest: string, ...standing: readonly string[]): SettledLife => ({
  _tag: "Minted",
  minted: minted(newest),
  standing: standing.map(token),
});

const redeemed: SettledLife = { _tag: "Redeemed", minted: minted("redeemed"), by: bob };

/** A life in each state that there is. */
export const everyLife: Readonly<Record<string, InviteLife>> = {
  intended: { _tag: "Intended" },
  asked: { _tag: "Asked", at: 1_767_225_600_123, before: { _tag: "Intended" } },
  "asked, after an answer was lost": { _tag: "Asked", at: 9, lostAt: 0, before: pending("pending-before") },
  "asked over tokens that stand": { _tag: "Asked", at: 9, before: withStanding("n1", "n2", "n3") },
  minted: { _tag: "Minted", minted: minted("minted"), standing: [] },
  "minted over tokens that stand": withStanding("m1", "m2", "m3"),
  pending: pending("pending"),
  redeemed,
  "asked after it was redeemed": { _tag: "Asked", at: 9, before: { ...redeemed, minted: minted("before") } },
  revoked: { _tag: "Revoked", minted: minted("revoked") },
};
