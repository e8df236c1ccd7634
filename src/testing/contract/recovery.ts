import { expectSame, expectTrue } from "./expect.js";
import { found, foundByToken, put } from "./invites.js";
import { replaced } from "./invites-replace.js";
import type { Checks } from "./runner.js";
import { withEarlierTokens } from "./sample-lives.js";
import {
  claimAt,
  claimOne,
  due,
  ended,
  everyLane,
  expectClaimed,
  inLane,
  laneOf,
  leaseMs,
  redemption,
} from "./sample-redemptions.js";
import { asked, pending, record, room1 } from "./samples.js";
import type { OpenStorage } from "./storage-adapter.js";

/** A storage that can be left, as a process leaves it that dies, and found again. */
export interface Mortal {
  readonly storage: OpenStorage;
  readonly restart: () => Promise<OpenStorage>;
}

export const recoveryChecks: Checks<Mortal> = {
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
    const next = await replaced(invites, "a", asked(1), mark);
    expectTrue(
      next !== first && next !== mark,
      "After a restart a mark was given that had been given before.",
    );
  },

  "what a put of redemptions has answered for outlives the process": async ({ storage, restart }) => {
    await storage.redemptions.put(everyLane, {});
    const after = await restart();
    for (const row of everyLane) {
      const rows = (await inLane(after, laneOf(row))).map(({ value }) => value);
      expectSame(rows, [row], "A row that was answered for is lost, or is another.");
    }
  },

  "a put that the process dies in leaves all of its rows or none": async ({ storage, restart }) => {
    const rows = Array.from({ length: 1_000 }, (_, index) => redemption(`t${index}`));
    const adding = storage.redemptions.put(rows, {}).then(
      () => true,
      () => false,
    );
    const after = await restart();
    const isAnswered = await Promise.race([adding, Promise.resolve(false)]);
    const left = (await inLane(after, "unvouched")).length;
    const isWhole = left === rows.length || (left === 0 && !isAnswered);
    expectTrue(isWhole, `Of ${rows.length} rows the dead process has left ${left}.`);
  },

  "a row whose holder died is free when its claim ends, and not before": async ({ storage, restart }) => {
    await storage.redemptions.put([redemption("t")], {});
    await claimOne(storage);
    const after = await restart();
    await expectClaimed(after, due + leaseMs - 1, [], "A claim was forgotten with its process.");
    const next = await after.redemptions.nextDueAt({});
    expectSame(next, due + leaseMs, "nextDueAt does not know of a claim from before the restart.");
    await claimOne(after, due + leaseMs);
  },

  "a mark from before a restart replaces its row, until somebody else has it": async ({
    storage,
    restart,
  }) => {
    await storage.redemptions.put([redemption("t"), redemption("u")], {});
    const [one, two] = await claimAt(storage);
    const after = await restart();
    const end = async (row: typeof one) =>
      row && (await after.redemptions.replace({ ...row.value, state: ended("Done") }, row.mark, {}))._tag;
    expectSame(await end(one), "Replaced", "What was done before the restart is lost.");
    const marks = [one?.mark, two?.mark];
    for (let round = 1; round < 6; round += 1)
      marks.push((await claimOne(after, due + round * leaseMs)).mark);
    expectSame(
      new Set(marks).size,
      marks.length,
      "After a restart a mark was given that had been given before.",
    );
    expectSame(await end(two), "Stale", "Whoever had lost a row has replaced it.");
    expectSame((await inLane(after, "unvouched"))[0]?.value, two?.value, "The row is another.");
  },

  "what was taken from a bucket is missing after a restart": async ({ storage, restart }) => {
    const question = { key: "k", cost: 2, now: due, intervalMs: 1_000, burst: 3 };
    await storage.limits.take(question, {});
    const after = await restart();
    const answer = await after.limits.take(question, {});
    expectSame(answer, { isTaken: false, fullAt: due + 2_000 }, "What was taken was forgotten.");
  },
};
