import type { OwedRedemption, Redemptions } from "../../ports.js";
import { expectOne, expectSame, expectTrue, isSame } from "./expect.js";
import type { Checks } from "./runner.js";
import {
  again,
  alice,
  bob,
  carol,
  dead,
  done,
  due,
  leaseMs,
  oddTexts,
  owed,
  redeemed,
  room2,
} from "./samples.js";
import { expectSettled, leaseAt, leaseOne, muchLater, tokensAt } from "./storage-adapter.js";

interface Subject {
  readonly redemptions: Redemptions;
}

/** Whatever is in it, the row comes back as it was owed. */
const expectKept = async (subject: Subject, row: OwedRedemption): Promise<void> => {
  await subject.redemptions.owe([row], {});
  const { redemption, lease } = await leaseOne(subject);
  expectSame(redemption, row, "The row that was leased is not the row that was owed.");
  await subject.redemptions.settle(row, lease, done, {});
  await expectSettled(subject, "was settled as done");
};

export const oweChecks: Checks<Subject> = {
  "a row comes back with every member as it was owed": async (subject) => {
    await expectKept(subject, owed("t", { attempts: 3, owedAt: 1, dueAt: due - 86_400_123 }));
  },

  "signed comes back with every member that was signed: numbers, odd keys, odd texts": async (subject) => {
    const signed: unknown = JSON.parse(
      '{"mxid":"@bob:b.example","token":"t","signatures":{},"__proto__":{"a":1},"constructor":null,' +
        '"toString":[],"":{"":[[]]},"n":[0,-1,9007199254740991,-9007199254740991,0.1,1e-7,1e21],"b":[true,false,null]}',
    );
    await expectKept(subject, owed("t", { signed: { ...(signed as object), texts: oddTexts } }));
  },

  "a token may have any 255 characters: whoever delivers it chooses them": async (subject) => {
    const texts = [...oddTexts, "\u0000".repeat(255), "\uffff".repeat(255), '"'.repeat(255)];
    for (const name of texts) await expectKept(subject, owed(name));
  },

  "what was owed stays, whatever the caller does to its own copy": async (subject) => {
    const signed = { token: "first" };
    await subject.redemptions.owe([owed("t", { signed })], {});
    signed.token = "second";
    const { redemption } = await leaseOne(subject);
    expectSame(redemption.signed, { token: "first" }, "The storage holds the caller's own object.");
  },

  "a row is one by room, token and user: any other is another row": async (subject) => {
    const rows = [
      owed("t"),
      owed("t", { roomId: room2 }),
      owed("t", { mxid: carol }),
      ...["T", "t ", "t\u0000", "u"].map((name) => owed(name)),
    ];
    await subject.redemptions.owe(rows, {});
    const leased = await leaseAt(subject);
    expectSame(leased.length, rows.length, "Rows that differ were taken for one, or one for several.");
    for (const { redemption } of leased)
      expectTrue(
        rows.some((row) => isSame(row, redemption)),
        "A row was mixed with another.",
      );
  },

  "owe leaves a row that exists as it is, and adds those beside it": async (subject) => {
    await subject.redemptions.owe([owed("t")], {});
    const other = owed("t", {
      sender: carol,
      signed: { other: true },
      dueAt: due - 9,
      owedAt: 9,
      attempts: 9,
    });
    await subject.redemptions.owe([owed("s"), other, owed("u")], {});
    expectSame(await tokensAt(subject, due - 1), [], "A second delivery made the row due at another time.");
    const leased = await leaseAt(subject);
    expectSame(leased.length, 3, "owe did not add the new rows beside the one that existed.");
    const standing = leased.map(({ redemption }) => redemption).filter(({ token }) => token === "t");
    expectSame(standing, [owed("t")], "A second delivery changed the row.");
  },

  "owe keeps each proof of one token and user apart": async (subject) => {
    // Anybody can deliver a forged one first; the good one must not be thrown away for it.
    const forged = owed("t", { proof: "forged", sender: carol });
    await subject.redemptions.owe([forged], {});
    await subject.redemptions.owe([owed("t"), owed("t", { proof: "Proof" })], {});
    const proofs = (await leaseAt(subject)).map(({ redemption }) => redemption.proof).sort();
    expectSame(proofs, ["Proof", "forged", "proof"], "A proof has taken the place of another.");
  },

  "owe adds a row once that it is given twice at a time": async (subject) => {
    await subject.redemptions.owe([owed("t"), owed("u"), owed("t")], {});
    expectSame(
      await tokensAt(subject),
      ["t", "u"],
      "The same row twice in one call was added twice, or not.",
    );
  },

  "owe takes no rows as well": async (subject) => {
    await subject.redemptions.owe([], {});
    expectSame(await tokensAt(subject), [], "owe made a row up.");
  },

  "owe adds 5,000 rows in one call, as many as one onbind brings": async (subject) => {
    const rows = Array.from({ length: 5_000 }, (_, index) => owed(`t${index}`));
    await subject.redemptions.owe(rows, {});
    const waiting = await subject.redemptions.countWaiting({ mxid: bob }, {});
    expectSame(waiting, 5_000, "Not all rows of a large call were added.");
  },

  "owe adds all rows or none: one that it cannot store leaves none of the others": async (subject) => {
    const rows = [
      owed("t"),
      owed("u", { signed: { unstorable: () => 1, too: 1n } }),
      owed("v", { sender: alice }),
    ];
    const isAdded = await subject.redemptions.owe(rows, {}).then(
      () => true,
      () => false,
    );
    const left = await tokensAt(subject);
    expectSame(
      left,
      isAdded ? ["t", "u", "v"] : [],
      isAdded ? "owe answered, but not all rows are there." : "owe rejected, and left a part of the rows.",
    );
  },

  "owe shows all rows or none of them while it runs": async (subject) => {
    const rows = Array.from({ length: 500 }, (_, index) => owed(`t${index}`));
    const adding = subject.redemptions.owe(rows, {});
    const seen = new Set<number>();
    for (let looks = 0; looks < 100 && !seen.has(rows.length); looks += 1)
      seen.add(await subject.redemptions.countWaiting({ mxid: bob }, {}));
    await adding;
    seen.add(await subject.redemptions.countWaiting({ mxid: bob }, {}));
    const parts = [...seen].filter((count) => count !== 0 && count !== rows.length);
    expectSame(
      parts,
      [],
      "Somebody saw a part of the rows of one call: a crash there would keep only these.",
    );
  },
};

export const notOwedAgainChecks: Checks<Subject> = {
  "a token that its user has redeemed is not owed again, whatever the proof": async (subject) => {
    await subject.redemptions.owe([owed("t"), owed("t", { proof: "beside" })], {});
    const [held] = await leaseAt(subject);
    if (held !== undefined) await subject.redemptions.settle(held.redemption, held.lease, redeemed, {});
    const proofs = ["proof", "beside", "other"].map((proof) => owed("t", { proof }));
    await subject.redemptions.owe(proofs, {});
    await expectSettled(subject, "was redeemed by another proof");
    await subject.redemptions.owe([owed("t", { mxid: carol }), owed("t", { roomId: room2 })], {});
    const { length } = await leaseAt(subject);
    expectSame(length, 2, "Another user's token, or another room's, was taken for it.");
  },

  "a token of which one proof is done or dead is owed by another": async (subject) => {
    // Somebody's own server can say that the invite is made by a proof that is forged.
    for (const [index, settlement] of [done, dead].entries()) {
      const forged = owed(`t${index}`, { proof: "forged" });
      await subject.redemptions.owe([forged], {});
      await subject.redemptions.settle(forged, (await leaseOne(subject)).lease, settlement, {});
      await subject.redemptions.owe([owed(`t${index}`)], {});
      const { redemption, lease } = await leaseOne(subject);
      expectSame(redemption, owed(`t${index}`), "Another row was handed out.");
      await subject.redemptions.settle(redemption, lease, redeemed, {});
    }
  },

  "a row that is done is never owed again": async (subject) => {
    await subject.redemptions.owe([owed("t")], {});
    await subject.redemptions.settle(owed("t"), (await leaseOne(subject)).lease, done, {});
    await subject.redemptions.owe([owed("t")], {});
    await expectSettled(subject, "was done, and delivered again,");
  },

  "a row that is dead is never owed again": async (subject) => {
    await subject.redemptions.owe([owed("t")], {});
    await subject.redemptions.settle(owed("t"), (await leaseOne(subject)).lease, dead, {});
    await subject.redemptions.owe([owed("t"), owed("u")], {});
    const { lease } = expectOne(await leaseAt(subject), "Beside a dead row, a new one was to be added.");
    await subject.redemptions.settle(owed("u"), lease, done, {});
    await expectSettled(subject, "was dead, and delivered again,");
  },

  "a row that is leased, or tried again later, is left so by a second delivery": async (subject) => {
    await subject.redemptions.owe([owed("t")], {});
    const { lease } = await leaseOne(subject);
    await subject.redemptions.owe([owed("t")], {});
    expectSame(await tokensAt(subject), [], "A second delivery ended a lease.");
    await subject.redemptions.settle(owed("t"), lease, again(due + 5 * leaseMs), {});
    await subject.redemptions.owe([owed("t")], {});
    expectSame(await tokensAt(subject, due + leaseMs), [], "A second delivery made a row due earlier.");
    const { redemption } = await leaseOne(subject, muchLater);
    expectSame(redemption.attempts, 1, "A second delivery made the attempts be forgotten.");
  },
};
