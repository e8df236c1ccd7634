import { expectSame, expectTrue } from "./expect.js";
import { found, foundByToken, put } from "./invites.js";
import { replaced } from "./invites-replace.js";
import type { Checks } from "./runner.js";
import { withEarlierTokens } from "./sample-lives.js";
import { again, asked, bob, dead, done, due, leaseMs, owed, pending, record, room1 } from "./samples.js";
import {
  expectSettled,
  finishAll,
  leaseAt,
  leaseOne,
  tokensAt,
  type OpenStorage,
} from "./storage-adapter.js";

/** A storage that can be left, as a process leaves it that dies, and found again. */
export interface Mortal {
  readonly storage: OpenStorage;
  readonly restart: () => Promise<OpenStorage>;
}

export const inviteRecovery: Checks<Mortal> = {
  "what putIfAbsent and replace have answered outlives the process, marks and all": async ({
    storage,
    restart,
  }) => {
    const first = await put(storage.invites, record("a"));
    await put(storage.invites, record("b", { life: withEarlierTokens("new", "old") }));
    const mark = await replaced(storage.invites, "a", pending("t"), first);
    const { invites } = await restart();
    const standing = { value: record("a", { life: pending("t") }), mark };
    expectSame(await found(invites, "a"), standing, "A record that was answered for is lost.");
    const byToken = await foundByToken(invites, room1, "old");
    expectSame(byToken?.value.key, "b", "A record is no longer found by its token.");
    expectSame((await invites.putIfAbsent(record("a"), {})).isNew, false, "isNew of a record from before.");
    await replaced(invites, "a", asked(1), mark);
  },

  "a mark from before a restart is not that of a later record": async ({ storage, restart }) => {
    const old = await put(storage.invites, record("a"));
    const last = await replaced(storage.invites, "a", asked(1), old);
    const { invites } = await restart();
    const next = await replaced(invites, "a", asked(2), last);
    expectTrue(next !== old && next !== last, "After a restart a mark was given that had been given before.");
    for (const mark of [old, last])
      expectSame(
        await invites.replace(record("a"), mark, {}),
        { _tag: "Stale" },
        "A mark from before was taken.",
      );
  },
};

export const redemptionRecovery: Checks<Mortal> = {
  "what owe has answered outlives the process, attempts and all": async ({ storage, restart }) => {
    await storage.redemptions.owe([owed("t"), owed("u")], {});
    const { redemption, lease } = await leaseOne(storage);
    await storage.redemptions.settle(redemption, lease, again(due + 1), {});
    const after = await restart();
    const rows = (await leaseAt(after, due + 1)).map((row) => row.redemption);
    const expected = ["t", "u"].map((name) =>
      name === redemption.token ? owed(name, { dueAt: due + 1, attempts: 1 }) : owed(name),
    );
    const found = [...rows].sort((one, other) => (one.token < other.token ? -1 : 1));
    expectSame(found, expected, "Rows that were answered for are lost, or others than they were.");
  },

  "an owe that the process dies in leaves all of its rows or none": async ({ storage, restart }) => {
    const rows = Array.from({ length: 2_000 }, (_, index) => owed(`t${index}`));
    const adding = storage.redemptions.owe(rows, {}).then(
      () => true,
      () => false,
    );
    const { redemptions } = await restart();
    const isAnswered = await Promise.race([adding, Promise.resolve(false)]);
    const waiting = await redemptions.countWaiting({ mxid: bob }, {});
    const isWhole = waiting === rows.length || (waiting === 0 && !isAnswered);
    expectTrue(isWhole, `Of ${rows.length} rows the dead process has left ${waiting}.`);
  },

  "a row whose holder died comes back at until, and not before": async ({ storage, restart }) => {
    await storage.redemptions.owe([owed("t")], {});
    await leaseOne(storage);
    const after = await restart();
    expectSame(await tokensAt(after, due + leaseMs - 1), [], "A lease was forgotten with its process.");
    const next = await after.redemptions.nextDueAt({});
    expectSame(next, due + leaseMs, "nextDueAt does not know of a lease from before the restart.");
    expectSame(await tokensAt(after, due + leaseMs), ["t"], "The row of a dead worker never came back.");
  },

  "a lease from before a restart settles its row, until somebody else has it": async ({
    storage,
    restart,
  }) => {
    await storage.redemptions.owe([owed("t"), owed("u")], {});
    const [one, two] = await leaseAt(storage);
    const after = await restart();
    if (one !== undefined) await after.redemptions.settle(one.redemption, one.lease, done, {});
    const held = await leaseOne(after, due + leaseMs);
    expectSame(held.redemption.token, two?.redemption.token, "The row that was settled came back.");
    expectTrue(held.lease !== two?.lease, "After a restart a lease was given that had been given before.");
    if (two !== undefined) await after.redemptions.settle(two.redemption, two.lease, done, {});
    await after.redemptions.settle(held.redemption, held.lease, again(due), {});
    const { redemption } = await leaseOne(after);
    expectSame(redemption.attempts, 1, "A lease from before the restart settled a row that it had lost.");
  },

  "rows that were done or dead are so after a restart, and not owed again": async ({ storage, restart }) => {
    const rows = ["t", "u", "v"].map((name) => owed(name));
    await storage.redemptions.owe(rows, {});
    const [one, two] = await leaseAt(storage, due, 2);
    if (one !== undefined) await storage.redemptions.settle(one.redemption, one.lease, done, {});
    if (two !== undefined) await storage.redemptions.settle(two.redemption, two.lease, dead, {});
    await finishAll(storage);
    const after = await restart();
    await after.redemptions.owe(rows, {});
    await expectSettled(after, "was done or dead before a restart");
  },
};
