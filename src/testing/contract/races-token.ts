import { expectSame, expectTrue } from "./expect.js";
import type { Racers } from "./races-invites.js";
import type { Checks } from "./runner.js";
import { again, done, due, leaseMs, owed, redeemed } from "./samples.js";
import { race, rounds } from "./sessions.js";
import { leaseAt, leaseOne, muchLater, tokensAt } from "./storage-adapter.js";

const proofs = ["h", "c", "f", "a", "e", "b", "g", "d"];

export const tokenRaces: Checks<Racers> = {
  "racing settlements and postponements of one token's rows all go through, and Redeemed ends all": async (
    racers,
  ) => {
    const [first] = racers;
    for (let round = 0; round < rounds; round += 1) {
      await first.redemptions.owe(
        proofs.map((proof) => owed(`t${round}`, { proof })),
        {},
      );
      const held = await leaseAt(first);
      expectSame(held.length, proofs.length, "Not each proof was handed out.");
      // Two that hold a row each, and wait for the other's, would wait for ever.
      await Promise.all(
        held.flatMap(({ redemption, lease }, index) => {
          const { redemptions } = racers[index % racers.length] ?? first;
          return [
            redemptions.settle(redemption, lease, index % 2 === 0 ? redeemed : again(due), {}),
            redemptions.postpone(redemption, due + leaseMs, {}),
          ];
        }),
      );
      expectSame(await tokensAt(first, muchLater), [], "A row of a token that was redeemed waits still.");
    }
  },

  "of the holder's Done and a postpone, Done counts": async (racers) => {
    const [first] = racers;
    for (let round = 0; round < rounds; round += 1) {
      const row = owed(`t${round}`);
      await first.redemptions.owe([row], {});
      const { lease } = await leaseOne(first);
      await race(racers, ({ redemptions }, index) =>
        index % 2 === 0
          ? redemptions.settle(row, lease, done, {})
          : redemptions.postpone(row, due + leaseMs, {}),
      );
      expectSame(await tokensAt(first, muchLater), [], "A row that was done was handed out again.");
    }
  },

  "of the holder's Again and a postpone, the later time counts": async (racers) => {
    const [first] = racers;
    for (let round = 0; round < rounds; round += 1) {
      const row = owed(`t${round}`);
      await first.redemptions.owe([row], {});
      const { lease } = await leaseOne(first);
      await race(racers, ({ redemptions }, index) =>
        index === 0
          ? redemptions.settle(row, lease, again(due + 1), {})
          : redemptions.postpone(row, due + leaseMs, {}),
      );
      expectTrue((await tokensAt(first, due + 1)).length === 0, "A postponement was lost.");
      const second = await leaseOne(first, due + leaseMs);
      expectSame(second.redemption, { ...row, dueAt: due + leaseMs, attempts: 1 }, "The row is another.");
      await first.redemptions.settle(row, second.lease, done, {});
    }
  },
};
