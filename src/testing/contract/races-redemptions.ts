import { expectSame, expectTrue } from "./expect.js";
import type { Racers } from "./races-invites.js";
import type { Checks } from "./runner.js";
import { claimAt, claimOne, due, ended, idsOf, leaseMs, redemption } from "./sample-redemptions.js";
import { race, rounds } from "./sessions.js";

const names = (count: number): readonly string[] =>
  Array.from({ length: count }, (_, index) => `t${String(index).padStart(4, "0")}`);

const rowsOf = (ids: readonly string[]) => ids.map((id) => redemption(id));

const done = (id: string) => redemption(id, ended("Done"));

/** Claims until there is nothing left, and watches that no claim is empty while there is. */
const claimAll = async (
  racers: Racers,
  limit: number,
  now: number,
  total: number,
): Promise<readonly string[]> => {
  const taken: string[] = [];
  let inFlight = 0;
  await race(racers, async (racer) => {
    for (let isEmpty = false; !isEmpty && taken.length <= total;) {
      inFlight += 1;
      const rows = await claimAt(racer, now, limit);
      inFlight -= 1;
      taken.push(...idsOf(rows));
      isEmpty = rows.length === 0;
      // Each of the others may hold as many as it asks for, and not have been told yet.
      const isLeft = taken.length + inFlight * limit < total;
      expectTrue(!isEmpty || !isLeft, "A claim was empty while rows were due that nobody had.");
    }
  });
  return taken.sort();
};

export const redemptionRaces: Checks<Racers> = {
  "of racing puts each row is new to one, and nobody fails, in whatever order they bring them": async (
    racers,
  ) => {
    for (let round = 0; round < rounds; round += 1) {
      const ids = names(40).map((name) => `${round}${name}`);
      // Two that wait for each other's rows would wait for ever.
      const answers = await race(racers, ({ redemptions }, index) =>
        redemptions.put(rowsOf(index % 2 === 0 ? ids : ids.toReversed()), {}),
      );
      expectSame([...answers.flat()].sort(), [...ids].sort(), "A row was new to several, or to none.");
    }
  },

  "of racing claims no two hold one row, and none is empty while a row is due and free": async (racers) => {
    const all = names(200);
    await racers[0].redemptions.put(rowsOf(all), {});
    for (const [index, limit] of [1, 3, 50].entries()) {
      const taken = await claimAll(racers, limit, due + index * leaseMs, all.length);
      expectSame(new Set(taken).size, taken.length, "Two workers hold one row at a time.");
      expectSame(taken, all, "A row that was due and free was handed to nobody.");
    }
  },

  "of a late replace and a claim of the same row one gets it": async (racers) => {
    const [first] = racers;
    for (let round = 0; round < rounds; round += 1) {
      const id = `t${round}`;
      await first.redemptions.put([redemption(id)], {});
      const { mark } = await claimOne(first);
      const isMine = await race(racers, async (racer, index) => {
        if (index > 0) return (await claimAt(racer, due + leaseMs)).length === 1;
        return (await racer.redemptions.replace(done(id), mark, {}))._tag === "Replaced";
      });
      const winners = isMine.filter((is) => is).length;
      expectSame(winners, 1, "Of one who ends a row late, and those who claim it, one was to get it.");
    }
  },

  "of racing takes as many succeed as the bucket holds": async (racers) => {
    for (let round = 0; round < rounds; round += 1) {
      const question = { key: `k${round}`, cost: 1, now: due, intervalMs: 1_000, burst: racers.length - 2 };
      const answers = await race(racers, ({ limits }) => limits.take(question, {}));
      const taken = answers.filter(({ isTaken }) => isTaken).length;
      expectSame(taken, question.burst, "A bucket has given more than it held, or less.");
    }
  },
};
