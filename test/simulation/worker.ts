import { isRight } from "fp-ts/lib/Either.js";
import { hangsUp } from "./life.js";
import { runFlow } from "./run-flow.js";
import { type Server, livingProcess, processNow } from "./server.js";
import type { World } from "./world.js";

/** One round of a server's worker, in whichever process lives; answers how long until the next one. */
export const deliver = async (world: World, server: Server): Promise<number | undefined> => {
  const { chance, scheduler } = world;
  const process = livingProcess(server, chance);
  if (process === undefined) {
    deliverSoon(world, server, 1_000);
    return undefined;
  }
  const limit = chance.pick([1, 2, 3, 100]);
  const stop = hangsUp(world);
  const result = await runFlow(world, server, process, "deliverOwed", (invites) =>
    invites.deliverOwed({ limit }, stop),
  );
  if (!isRight(result)) return 5_000;
  const { nextDueAt } = result.right;
  return nextDueAt === undefined ? undefined : nextDueAt - processNow(server, process, scheduler.now);
};

/** Wakes the server's worker, and again when the next redemption is due, as long as there are faults to survive. */
export const deliverSoon = (world: World, server: Server, delay: number): void => {
  const { scheduler } = world;
  scheduler.after(delay, () => {
    void deliver(world, server).then((wait) => {
      if (wait === undefined) return;
      if (scheduler.now + wait < world.endsAt) deliverSoon(world, server, Math.max(wait, 50));
    });
  });
};
