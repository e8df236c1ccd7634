import type { Redemptions } from "../../ports.js";
import { expectSame, expectTrue } from "./expect.js";
import type { Checks } from "./runner.js";
import { again, alice, bob, carol, dead, done, due, leaseMs, owed, server, user } from "./samples.js";
import { finishAll, leaseAt, leaseOne, muchLater, tokensAt } from "./storage-adapter.js";

interface Subject {
  readonly redemptions: Redemptions;
}

export const leaseChecks: Checks<Subject> = {
  "lease hands out rows that are due, from their very millisecond on, and no others": async (subject) => {
    await subject.redemptions.owe([owed("t"), owed("u", { dueAt: due + 1 }), owed("v", { dueAt: 1 })], {});
    expectSame(await tokensAt(subject, 0), [], "Rows were handed out before they were due.");
    expectSame(await tokensAt(subject, due - 1), ["v"], "Not the row that was due was handed out.");
    expectSame(await tokensAt(subject, due), ["t"], "A row is due in the millisecond that dueAt names.");
    expectSame(await tokensAt(subject, due + 1), ["u"], "A row that became due was not handed out.");
  },

  "lease hands out no more rows than the limit, and every row to somebody": async (subject) => {
    const names = ["a", "b", "c", "d", "e"];
    await subject.redemptions.owe(
      names.map((name) => owed(name)),
      {},
    );
    const taken: string[] = [];
    for (const expected of [2, 2, 1, 0]) {
      const rows = await leaseAt(subject, due, 2);
      expectSame(rows.length, expected, "With a limit of 2, five rows are handed out as 2, 2, 1 and none.");
      taken.push(...rows.map(({ redemption }) => redemption.token));
    }
    expectSame(taken.sort(), names, "A row was left out, or handed out twice.");
  },

  "lease never hands out a row that is under a living lease": async (subject) => {
    await subject.redemptions.owe([owed("t")], {});
    await leaseOne(subject);
    for (const now of [due, due + 1, due + leaseMs - 1])
      expectSame(await tokensAt(subject, now), [], "A row was handed out while somebody held it.");
  },

  "lease hands a row out again from until on, if its holder fell silent": async (subject) => {
    await subject.redemptions.owe([owed("t")], {});
    const first = await leaseOne(subject);
    const second = await leaseOne(subject, due + leaseMs);
    expectSame(second.redemption, owed("t"), "A lease that ran out is no attempt: the row is as it was.");
    expectTrue(second.lease !== first.lease, "The next holder was given the lease of the last.");
    expectSame(await tokensAt(subject, due + leaseMs), [], "The second lease was not honoured.");
  },

  "a row whose lease ends before it is due again waits until it is due": async (subject) => {
    await subject.redemptions.owe([owed("t")], {});
    const { lease } = await leaseOne(subject);
    await subject.redemptions.settle(owed("t"), lease, again(due + 3 * leaseMs), {});
    expectSame(await tokensAt(subject, due + 3 * leaseMs - 1), [], "It was handed out before it was due.");
    expectSame(await tokensAt(subject, due + 3 * leaseMs), ["t"], "It was not handed out when it was due.");
  },

  "nextDueAt says nothing where nothing waits": async (subject) => {
    expectSame(await subject.redemptions.nextDueAt({}), undefined, "There is no row at all.");
    await subject.redemptions.owe([owed("t"), owed("u"), owed("v")], {});
    const [one, two] = await leaseAt(subject, due, 2);
    if (one !== undefined) await subject.redemptions.settle(one.redemption, one.lease, done, {});
    if (two !== undefined) await subject.redemptions.settle(two.redemption, two.lease, dead, {});
    await finishAll(subject);
    expectSame(await subject.redemptions.nextDueAt({}), undefined, "Rows that are done or dead are not due.");
  },

  "nextDueAt says when the first of the rows that wait is due": async (subject) => {
    await subject.redemptions.owe(
      [owed("t", { dueAt: due + 9 }), owed("u"), owed("v", { dueAt: due + 4 })],
      {},
    );
    expectSame(await subject.redemptions.nextDueAt({}), due, "Another row was due first.");
    const { lease } = await leaseOne(subject);
    await subject.redemptions.settle(owed("u"), lease, again(due + 6), {});
    expectSame(await subject.redemptions.nextDueAt({}), due + 4, "The row settled as Again is due later.");
  },

  "nextDueAt says when the lease ends of a row that somebody holds": async (subject) => {
    await subject.redemptions.owe([owed("t"), owed("u", { dueAt: due + 5 * leaseMs })], {});
    await leaseOne(subject);
    const next = await subject.redemptions.nextDueAt({});
    expectSame(next, due + leaseMs, "A row under a lease is free when the lease ends, not when it was due.");
    await leaseOne(subject, due + leaseMs);
    const after = await subject.redemptions.nextDueAt({});
    expectSame(after, due + 2 * leaseMs, "The second lease of the row ends later than the first.");
  },
};

const aExample = server("a.example");

const waitingOf = (subject: Subject): Promise<readonly number[]> =>
  Promise.all(
    ([{ mxid: bob }, { mxid: carol }, { destination: aExample }] as const).map((of) =>
      subject.redemptions.countWaiting(of, {}),
    ),
  );

export const countChecks: Checks<Subject> = {
  "countWaiting counts the rows of one user, or of all senders of one server": async (subject) => {
    await subject.redemptions.owe(
      [
        owed("t"),
        owed("t", { mxid: carol }),
        owed("u", { sender: user("@other:a.example") }),
        owed("v", { sender: carol }),
      ],
      {},
    );
    expectSame(await waitingOf(subject), [3, 1, 3], "Bob has three rows, Carol one; a.example sent three.");
  },

  "countWaiting takes no user or server for another": async (subject) => {
    const others = [
      "@Bob:b.example",
      "@bob:b.example:80",
      "@bob:B.example",
      "@bo_:b.example",
      "@bob:b.exampl",
    ];
    const senders = ["@a:A.example", "@a:a.example:8448", "@a:sub.a.example", "@a.example:x.example"];
    await subject.redemptions.owe(
      [
        ...others.map((id, index) => owed(`t${index}`, { mxid: user(id), sender: carol })),
        ...senders.map((id, index) => owed(`u${index}`, { mxid: alice, sender: user(id) })),
      ],
      {},
    );
    expectSame(await waitingOf(subject), [0, 0, 0], "Rows of others were counted.");
    const destination = server("a.example:8448");
    expectSame(await subject.redemptions.countWaiting({ destination }, {}), 1, "A port is part of the name.");
  },

  "countWaiting counts rows that are leased, not yet due, or tried again": async (subject) => {
    await subject.redemptions.owe([owed("t"), owed("u"), owed("v", { dueAt: muchLater })], {});
    const [held] = await leaseAt(subject, due, 2);
    if (held !== undefined)
      await subject.redemptions.settle(held.redemption, held.lease, again(muchLater), {});
    expectSame(await waitingOf(subject), [3, 0, 3], "All three rows wait still.");
  },

  "countWaiting counts no row that is done or dead": async (subject) => {
    await subject.redemptions.owe(
      ["t", "u", "v", "w"].map((name) => owed(name)),
      {},
    );
    const [one, two] = await leaseAt(subject, due, 2);
    if (one !== undefined) await subject.redemptions.settle(one.redemption, one.lease, done, {});
    expectSame(await waitingOf(subject), [3, 0, 3], "One of four rows is done.");
    if (two !== undefined) await subject.redemptions.settle(two.redemption, two.lease, dead, {});
    expectSame(await waitingOf(subject), [2, 0, 2], "Of four rows one is done and one is dead.");
    await finishAll(subject);
    expectSame(await waitingOf(subject), [0, 0, 0], "All rows are done or dead.");
  },
};
