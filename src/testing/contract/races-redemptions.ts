import type { LeasedRedemption } from "../../ports.js";
import { expectSame, expectTrue } from "./expect.js";
import type { Racers } from "./races-invites.js";
import type { Checks } from "./runner.js";
import { again, bob, done, due, leaseMs, owed } from "./samples.js";
import { race, rounds } from "./sessions.js";
import { expectSettled, leaseAt, leaseOne } from "./storage-adapter.js";

const names = (count: number): readonly string[] =>
  Array.from({ length: count }, (_, index) => `t${String(index).padStart(4, "0")}`);

export const oweRaces: Checks<Racers> = {
  "of racing owe each row is added once, and nobody fails, in whatever order they bring them": async (
    racers,
  ) => {
    for (let round = 0; round < rounds; round += 1) {
      const rows = names(40).map((name) => owed(`${round}${name}`));
      // Two that wait for each other's rows would wait for ever.
      await race(racers, ({ redemptions }, index) =>
        redemptions.owe(index % 2 === 0 ? rows : rows.toReversed(), {}),
      );
      const waiting = await racers[0].redemptions.countWaiting({ mxid: bob }, {});
      expectSame(
        waiting,
        40 * (round + 1),
        "Racing deliveries of the same rows added another number of them.",
      );
    }
  },

  "a row that is done stays so, however many deliver it meanwhile": async (racers) => {
    const [first] = racers;
    for (let round = 0; round < rounds; round += 1) {
      const row = owed(`t${round}`);
      await first.redemptions.owe([row], {});
      const { lease } = await leaseOne(first);
      await race(racers, ({ redemptions }, index) =>
        index === 0 ? redemptions.settle(row, lease, done, {}) : redemptions.owe([row], {}),
      );
    }
    await expectSettled(first, "was done while it was delivered again");
  },
};

/** Takes rows until there are none, or more than there can be; what it took, and held for good. */
const takeAll = async (
  storage: Racers[0],
  limit: number,
  now: number,
  atMost: number,
): Promise<readonly LeasedRedemption[]> => {
  const taken: LeasedRedemption[] = [];
  // A caller may be given less than there is while others are being given theirs.
  for (let idle = 0; idle < 3 && taken.length <= atMost;) {
    const rows = await leaseAt(storage, now, limit);
    idle = rows.length === 0 ? idle + 1 : 0;
    taken.push(...rows);
  }
  return taken;
};

export const leaseRaces: Checks<Racers> = {
  "of racing lease no two are handed one row, and each row is handed to somebody": async (racers) => {
    const all = names(200);
    await racers[0].redemptions.owe(
      all.map((name) => owed(name)),
      {},
    );
    for (const [index, limit] of [1, 3, 50].entries()) {
      const now = due + index * leaseMs;
      const taken = (await race(racers, (storage) => takeAll(storage, limit, now, all.length))).flat();
      const tokens = taken.map(({ redemption }) => redemption.token).sort();
      expectSame(new Set(tokens).size, tokens.length, "Two workers were handed one row at a time.");
      expectSame(tokens, all, "A row that was due and free was handed to nobody.");
    }
  },

  "of racing lease for one row, free or under a lease that ran out, one gets it": async (racers) => {
    await racers[0].redemptions.owe([owed("t")], {});
    for (let round = 0; round < rounds; round += 1) {
      const now = due + round * leaseMs;
      const taken = (await race(racers, (storage) => leaseAt(storage, now))).flat();
      expectTrue(taken.length < 2, "Two workers were handed the same row.");
      // That all were told "none" may be, where they were in each other's way; then it is still there.
      if (taken.length === 0) await leaseOne(racers[0], now);
    }
  },

  "of a holder and whoever took the row over, the second alone settles it": async (racers) => {
    const [first] = racers;
    for (let round = 0; round < rounds; round += 1) {
      const row = owed(`t${round}`);
      await first.redemptions.owe([row], {});
      const lost = await leaseOne(first);
      const held = await leaseOne(first, due + leaseMs);
      await race(racers, ({ redemptions }, index) =>
        redemptions.settle(row, index === 0 ? held.lease : lost.lease, index === 0 ? again(due) : done, {}),
      );
      const { redemption, lease } = await leaseOne(first);
      expectSame(redemption, { ...row, attempts: 1 }, "Whoever had lost the row has settled it.");
      await first.redemptions.settle(row, lease, done, {});
    }
  },

  "workers that race, fail and die between them settle each row once": async (racers) => {
    const all = names(60);
    await racers[0].redemptions.owe(
      all.map((name) => owed(name)),
      {},
    );
    const heldBy = new Map<string, { readonly lease: string; readonly until: number }>();
    const finished: string[] = [];
    let steps = 0;

    const work = async ({ redemptions }: Racers[0], now: number): Promise<void> => {
      for (const { redemption, lease } of await redemptions.lease(
        { now, until: now + leaseMs, limit: 4 },
        {},
      )) {
        const { token } = redemption;
        const until = heldBy.get(token)?.until ?? 0;
        expectTrue(until <= now, "A row was handed out while another worker held it.");
        heldBy.set(token, { lease, until: now + leaseMs });
        steps += 1;
        // Every third dies with its row; every fifth that lives is told to come again.
        if (steps % 3 === 0) continue;
        heldBy.delete(token);
        if (steps % 5 === 0) await redemptions.settle(redemption, lease, again(now + 1), {});
        else {
          finished.push(token);
          await redemptions.settle(redemption, lease, done, {});
        }
      }
    };

    // Each time the clock goes on by a lease: whatever a dead worker held is free again.
    for (let now = due; finished.length < all.length && now < due + 300 * leaseMs; now += leaseMs)
      await race(racers, (storage) => work(storage, now));
    expectSame(finished.sort(), all, "Not each row was finished, once.");
    await expectSettled(racers[0], "was done");
  },
};
