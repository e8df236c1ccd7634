import { chanceFrom } from "./chance.js";
import type { Rarity } from "./ledger.js";
import { newWorld } from "./new-world.js";
import { quiesce } from "./quiesce.js";
import { allMicrotasks } from "./scheduler.js";
import { found } from "./setup.js";
import { tell } from "./story.js";
import type { Violation } from "./world.js";

/** What one run came to. */
export interface Run {
  readonly seed: number;
  readonly lives: number;
  readonly steps: number;
  /** The first one; a run ends with it. */
  readonly violation: Violation | undefined;
  readonly trace: readonly string[];
  readonly met: readonly Rarity[];
}

/** Far more than any run needs. */
const maxSteps = 60_000;

/** Plays one world, from its founding to its quiet end, all of it drawn from one seed. */
export const play = async (seed: number, options: { readonly trace?: boolean } = {}): Promise<Run> => {
  const chance = chanceFrom(seed);
  const world = newWorld(chance, options.trace ?? false);
  const { scheduler, violations } = world;
  for (let room = chance.pick([1, 1, 2]); room > 0; room -= 1) found(world);
  const lives = tell(world, chance.pick([1, 2, 3, 4]));

  let steps = 0;
  /** Goes on until the time, or until nothing is left to do. `false` where a check has failed. */
  const goOn = async (until: number): Promise<boolean> => {
    await allMicrotasks();
    while (violations.length === 0 && scheduler.nextAt <= until) {
      steps += 1;
      if (steps > maxSteps) world.violate("flow", `${steps} steps, and no end`);
      if (!(await scheduler.step())) break;
    }
    return violations.length === 0;
  };
  if (await goOn(world.endsAt)) {
    scheduler.now = Math.max(scheduler.now, world.endsAt);
    await quiesce(world, lives, () => goOn(Infinity));
  }
  return {
    seed,
    lives: lives.length,
    steps,
    violation: violations[0],
    trace: world.trace.lines,
    met: [...world.ledger.met],
  };
};
