import type { OwedRedemption, Redemptions } from "../../ports.js";
import { expectPresent, expectSame, isSame } from "./expect.js";
import type { Checks } from "./runner.js";
import { again, carol, dead, done, due, idOf, leaseMs, owed, redeemed, room2 } from "./samples.js";
import { expectSettled, leaseAt, leaseOne, muchLater } from "./storage-adapter.js";

interface Subject {
  readonly redemptions: Redemptions;
}

const proof = (name: string, more: Partial<OwedRedemption> = {}): OwedRedemption =>
  owed("t", { proof: name, ...more });

/** The leases of these rows, of all that are due. */
const leasesOf = async (subject: Subject, ...rows: readonly OwedRedemption[]): Promise<readonly string[]> => {
  const all = await leaseAt(subject);
  return rows.map((row) => {
    const held = all.find(({ redemption }) => isSame(redemption, row));
    return expectPresent(held, "A row that is due was not handed out.").lease;
  });
};

export const redeemedChecks: Checks<Subject> = {
  "Redeemed is the end of every proof of that token and user, and of nothing else": async (subject) => {
    const others = [owed("t", { mxid: carol }), owed("t", { roomId: room2 }), owed("T")];
    await subject.redemptions.owe([proof("one"), proof("two", { dueAt: due + 1 }), ...others], {});
    const [lease = ""] = await leasesOf(subject, proof("one"));
    await subject.redemptions.settle(idOf(proof("one")), lease, redeemed, {});
    const left = (await leaseAt(subject, muchLater)).map(({ redemption }) => redemption);
    expectSame(
      left.filter((row) => row.proof === "two"),
      [],
      "Another proof of a token that was redeemed is tried still.",
    );
    expectSame(left.length, others.length, "A row of another token, user or room has ended with it.");
  },

  "Redeemed is the end also of a row under another's lease, whose later result changes nothing": async (
    subject,
  ) => {
    for (const [index, late] of [again(due), done, dead, redeemed].entries()) {
      const [one, two] = [owed(`t${index}`, { proof: "one" }), owed(`t${index}`, { proof: "two" })];
      await subject.redemptions.owe([one, two], {});
      const [first = "", second = ""] = await leasesOf(subject, one, two);
      await subject.redemptions.settle(idOf(one), first, redeemed, {});
      await expectSettled(subject, "another had leased when its token was redeemed");
      await subject.redemptions.settle(idOf(two), second, late, {});
      await expectSettled(subject, `was redeemed before its holder said ${late._tag}`);
    }
  },

  "Redeemed with a lease that somebody else has taken over ends no row": async (subject) => {
    await subject.redemptions.owe([proof("one"), proof("two", { dueAt: muchLater })], {});
    const { lease } = await leaseOne(subject);
    await leaseOne(subject, due + leaseMs);
    await subject.redemptions.settle(idOf(proof("one")), lease, redeemed, {});
    expectSame((await leaseAt(subject, muchLater)).length, 2, "Whoever had lost a row has ended rows.");
  },

  "Done, Dead and Again are of one proof: a forged one does not end the good one": async (subject) => {
    for (const [index, settlement] of [done, dead, again(muchLater + 1)].entries()) {
      const good = owed(`t${index}`);
      const forged = { ...good, proof: "forged", dueAt: due - 1 };
      await subject.redemptions.owe([forged, good], {});
      const { lease } = await leaseOne(subject, due - 1);
      await subject.redemptions.settle(idOf(forged), lease, settlement, {});
      const held = await leaseOne(subject);
      expectSame(held.redemption, good, `${settlement._tag} of a forged proof has touched the good one.`);
      await subject.redemptions.settle(idOf(good), held.lease, done, {});
    }
  },
};
