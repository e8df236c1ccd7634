import { expectSame, expectTrue } from "./expect.js";
import { found, put } from "./invites.js";
import type { Checks } from "./runner.js";
import { type Many, race, rounds } from "./sessions.js";
import { asked, pending, record } from "./samples.js";
import type { OpenStorage } from "./storage-adapter.js";

/** Those who race: one connection each, where the adapter can have several. */
export type Racers = Many<OpenStorage>;

export const inviteRaces: Checks<Racers> = {
  "of racing putIfAbsent one record is stored, everybody is answered with it, and it is new to one": async (
    racers,
  ) => {
    for (let round = 0; round < rounds; round += 1) {
      const key = `a${round}`;
      const answers = await race(racers, ({ invites }, index) =>
        invites.putIfAbsent(record(key, { createdAt: index, life: pending(`t${index}`) }), {}),
      );
      const standing = await found(racers[0].invites, key);
      const expected = racers.map((_, index) => ({ ...standing, isNew: index === standing.value.createdAt }));
      expectSame(
        answers,
        expected,
        "All were to be answered with what stands there, one of them that it is new.",
      );
    }
  },

  "of racing replace under one mark exactly one succeeds, and its record is stored": async (racers) => {
    for (let round = 0; round < rounds; round += 1) {
      const key = `a${round}`;
      const mark = await put(racers[0].invites, record(key));
      const answers = await race(racers, ({ invites }, index) =>
        invites.replace(record(key, { life: asked(index) }), mark, {}),
      );
      const winners = answers.flatMap((answer, index) =>
        answer._tag === "Replaced" ? [{ value: record(key, { life: asked(index) }), mark: answer.mark }] : [],
      );
      expectSame(winners.length, 1, "Of all that replaced a record under one mark, one was to succeed.");
      expectSame(await found(racers[0].invites, key), winners[0], "What is stored is not the winner's.");
    }
  },

  "no replacement is lost: everybody who reads, replaces, and tries again gets through": async (racers) => {
    await put(racers[0].invites, record("a", { life: asked(0) }));
    const each = 10;
    const total = each * racers.length;
    const countUp = async ({ invites }: OpenStorage): Promise<void> => {
      let left = each;
      // Each Stale is another's success, of which there are so many.
      for (let tries = 0; left > 0; tries += 1) {
        expectTrue(tries <= total, "replace says Stale again and again although nobody replaces the record.");
        const { value, mark } = await found(invites, "a");
        const at = value.life._tag === "Asked" ? value.life.at : NaN;
        const answer = await invites.replace(record("a", { life: asked(at + 1) }), mark, {});
        if (answer._tag === "Replaced") left -= 1;
      }
    };
    await race(racers, countUp);
    const { value } = await found(racers[0].invites, "a");
    expectSame(value.life, asked(total), "A replacement that had succeeded was overwritten.");
  },

  "what one has put or replaced, everybody finds as soon as it is answered": async (racers) => {
    for (const [index, { invites }] of racers.entries()) {
      const key = `a${index}`;
      const mark = await put(invites, record(key));
      await race(racers, (other) => found(other.invites, key));
      await invites.replace(record(key, { life: pending(`t${index}`) }), mark, {});
      const lives = await race(racers, async (other) => (await found(other.invites, key)).value.life._tag);
      expectTrue(
        lives.every((tag) => tag === "Pending"),
        "Somebody was answered with an old record.",
      );
    }
  },
};
