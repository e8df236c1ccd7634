import type { LeasedRedemption, Redemptions, Settlement } from "../../ports.js";
import { expectSame } from "./expect.js";
import type { Checks } from "./runner.js";
import { again, carol, dead, done, due, idOf, leaseMs, oddTexts, owed, redeemed, room2 } from "./samples.js";
import { expectSettled, leaseAt, leaseOne, muchLater, tokensAt } from "./storage-adapter.js";

interface Subject {
  readonly redemptions: Redemptions;
}

export const everySettlement: readonly Settlement[] = [redeemed, done, dead, again(due - 1)];

export const settle = (
  { redemptions }: Subject,
  { redemption, lease }: LeasedRedemption,
  settlement: Settlement,
): Promise<void> => redemptions.settle(idOf(redemption), lease, settlement, {});

/** The row is under the lease that was given last, which still settles it. */
const expectHeld = async (
  subject: Subject,
  held: LeasedRedemption,
  now: number,
  what: string,
): Promise<void> => {
  expectSame(await tokensAt(subject, now), [], `${what} ended the lease of the holder.`);
  await settle(subject, held, again(muchLater));
  const after = await leaseOne(subject, muchLater);
  const attempts = held.redemption.attempts + 1;
  expectSame(
    after.redemption,
    { ...held.redemption, dueAt: muchLater, attempts },
    `${what} changed the row.`,
  );
  await settle(subject, after, done);
};

export const settleChecks: Checks<Subject> = {
  "a row settled as Redeemed is never handed out again": async (subject) => {
    await subject.redemptions.owe([owed("t")], {});
    await settle(subject, await leaseOne(subject), redeemed);
    await expectSettled(subject, "is redeemed");
  },

  "a row settled as Done is never handed out again": async (subject) => {
    await subject.redemptions.owe([owed("t")], {});
    await settle(subject, await leaseOne(subject), done);
    await expectSettled(subject, "is done");
  },

  "a row settled as Dead is never handed out again": async (subject) => {
    await subject.redemptions.owe([owed("t")], {});
    await settle(subject, await leaseOne(subject), dead);
    await expectSettled(subject, "is dead");
  },

  "a row settled as Again waits until dueAt, with one attempt more and all else as it was": async (
    subject,
  ) => {
    const row = owed("t", { attempts: 4 });
    await subject.redemptions.owe([row], {});
    await settle(subject, await leaseOne(subject), again(due + 10));
    expectSame(await tokensAt(subject, due + 9), [], "It was handed out before dueAt.");
    // Its lease would have lasted longer: it ended with its result.
    const second = await leaseOne(subject, due + 10);
    expectSame(
      second.redemption,
      { ...row, dueAt: due + 10, attempts: 5 },
      "The row that waited is another.",
    );
    await settle(subject, second, again(due + 20));
    const { redemption } = await leaseOne(subject, due + 20);
    expectSame(redemption.attempts, 6, "The second attempt was not counted.");
  },

  "settle takes whatever text stood in the way: a stranger's server wrote the errcode": async (subject) => {
    await subject.redemptions.owe([owed("t")], {});
    for (const [index, text] of oddTexts.entries()) {
      const now = due + index;
      const trouble = { reason: text, status: 599, errcode: text };
      await settle(subject, await leaseOne(subject, now), { _tag: "Again", dueAt: now + 1, ...trouble });
    }
    const long = { reason: "r".repeat(10_000), status: 599, errcode: "e".repeat(10_000) };
    await settle(subject, await leaseOne(subject, muchLater), { _tag: "Dead", ...long });
    await expectSettled(subject, "is dead");
  },

  "settle settles its own row and no other": async (subject) => {
    const rows = [owed("t"), owed("u"), owed("t", { mxid: carol }), owed("t", { roomId: room2 })];
    await subject.redemptions.owe(rows, {});
    const [first, ...others] = await leaseAt(subject);
    if (first !== undefined) await settle(subject, first, done);
    const left = await leaseAt(subject, due + leaseMs);
    expectSame(left.length, others.length, "Of four rows one was settled, so three were to come back.");
  },

  "settle counts where the lease ran out and nobody has taken the row over": async (subject) => {
    await subject.redemptions.owe([owed("t")], {});
    // Nobody came at `until`, so the holder's result is the only one there is.
    await settle(subject, await leaseOne(subject), done);
    await expectSettled(subject, "was done late, before anybody else had it,");
  },

  "settle changes nothing with a lease that somebody else has taken over": async (subject) => {
    for (const [index, settlement] of everySettlement.entries()) {
      await subject.redemptions.owe([owed(`t${index}`)], {});
      const first = await leaseOne(subject);
      const second = await leaseOne(subject, due + leaseMs);
      await settle(subject, first, settlement);
      await expectHeld(subject, second, due + leaseMs, `${settlement._tag} with a lost lease`);
    }
  },

  "settle changes nothing with a lease that was settled already": async (subject) => {
    for (const [index, settlement] of everySettlement.entries()) {
      await subject.redemptions.owe([owed(`t${index}`)], {});
      const held = await leaseOne(subject);
      await settle(subject, held, again(due + 5));
      await settle(subject, held, settlement);
      expectSame(await tokensAt(subject, due + 4), [], "A lease that was settled made the row due earlier.");
      const { redemption, lease } = await leaseOne(subject, due + 5);
      expectSame(redemption.attempts, 1, "A lease that was settled settled the row once more.");
      await settle(subject, { redemption, lease }, done);
    }
  },

  "settle brings no row back that is redeemed, done or dead": async (subject) => {
    for (const [index, end] of [redeemed, done, dead].entries()) {
      await subject.redemptions.owe([owed(`t${index}`)], {});
      const held = await leaseOne(subject);
      await settle(subject, held, end);
      await settle(subject, held, again(due));
      await expectSettled(subject, `is ${end._tag}`);
    }
  },

  "settle of a row that was never owed changes nothing, and makes none": async (subject) => {
    await subject.redemptions.owe([owed("t")], {});
    const { lease } = await leaseOne(subject);
    for (const other of [owed("nobody"), owed("T"), owed("t", { roomId: room2 }), owed("t", { mxid: carol })])
      await settle(subject, { redemption: other, lease }, again(due));
    expectSame(
      await tokensAt(subject, due + leaseMs),
      ["t"],
      "A row was settled under another's name, or made.",
    );
  },
};
