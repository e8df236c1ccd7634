import type { Redemptions } from "../../ports.js";
import { expectSame } from "./expect.js";
import type { Checks } from "./runner.js";
import { again, carol, dead, done, due, leaseMs, owed, redeemed, room2 } from "./samples.js";
import { everySettlement, settle } from "./settle.js";
import { expectSettled, leaseOne, muchLater, tokensAt } from "./storage-adapter.js";

interface Subject {
  readonly redemptions: Redemptions;
}

export const postponeChecks: Checks<Subject> = {
  "postpone makes a row that waits due at that time and not before, and changes nothing else": async (
    subject,
  ) => {
    await subject.redemptions.owe([owed("t"), owed("u")], {});
    await subject.redemptions.postpone(owed("t"), due + 10, {});
    const { redemption: other, lease } = await leaseOne(subject, due + 9);
    expectSame(other.token, "u", "Another row was postponed.");
    await subject.redemptions.settle(other, lease, done, {});
    expectSame(await subject.redemptions.nextDueAt({}), due + 10, "nextDueAt does not know of it.");
    const { redemption } = await leaseOne(subject, due + 10);
    expectSame(redemption, owed("t", { dueAt: due + 10 }), "The row that was postponed is another.");
  },

  "postpone makes no row due earlier": async (subject) => {
    await subject.redemptions.owe([owed("t", { dueAt: due + 20 })], {});
    await subject.redemptions.postpone(owed("t"), due + 10, {});
    expectSame(await tokensAt(subject, due + 19), [], "A row was handed out before it was due.");
    expectSame(await tokensAt(subject, due + 20), ["t"], "A row was not handed out when it was due.");
  },

  "postpone leaves the lease of the holder, whose result counts": async (subject) => {
    for (const [index, settlement] of everySettlement.entries()) {
      await subject.redemptions.owe([owed(`t${index}`)], {});
      const held = await leaseOne(subject);
      await subject.redemptions.postpone(owed(`t${index}`), due + 10, {});
      expectSame(await tokensAt(subject, due + 10), [], "postpone has ended a lease.");
      await settle(subject, held, settlement);
      if (settlement._tag === "Again") await settle(subject, await leaseOne(subject, due + 10), done);
      await expectSettled(subject, `was postponed, and settled as ${settlement._tag},`);
    }
  },

  "Again leaves a postponement that came meanwhile, and goes beyond it": async (subject) => {
    for (const [index, [postponed, dueAt]] of [[20, 10] as const, [10, 20] as const].entries()) {
      const row = owed(`t${index}`);
      await subject.redemptions.owe([row], {});
      const held = await leaseOne(subject);
      await subject.redemptions.postpone(row, due + postponed, {});
      await settle(subject, held, again(due + dueAt));
      expectSame(await tokensAt(subject, due + 19), [], "It was handed out before the later of the two.");
      const second = await leaseOne(subject, due + 20);
      expectSame(second.redemption, { ...row, dueAt: due + 20, attempts: 1 }, "The row is another.");
      await settle(subject, second, done);
    }
  },

  "postpone brings no row back that is redeemed, done or dead": async (subject) => {
    for (const [index, end] of [redeemed, done, dead].entries()) {
      await subject.redemptions.owe([owed(`t${index}`)], {});
      await settle(subject, await leaseOne(subject), end);
      await subject.redemptions.postpone(owed(`t${index}`), due + leaseMs, {});
      await expectSettled(subject, `is ${end._tag}`);
    }
  },

  "postpone does nothing for another sender than the row's": async (subject) => {
    await subject.redemptions.owe([owed("t")], {});
    await subject.redemptions.postpone({ ...owed("t"), sender: carol }, muchLater, {});
    expectSame(await tokensAt(subject), ["t"], "Somebody who did not invite has held the row up.");
  },

  "postpone touches no other row, and makes none": async (subject) => {
    await subject.redemptions.owe([owed("t")], {});
    for (const other of [owed("u"), owed("T"), owed("t", { roomId: room2 }), owed("t", { mxid: carol })])
      await subject.redemptions.postpone(other, muchLater, {});
    expectSame(await tokensAt(subject), ["t"], "Another row was postponed.");
    await subject.redemptions.owe([owed("u")], {});
    expectSame(await tokensAt(subject), ["u"], "postpone of a row that was not owed yet has held it up.");
  },
};
