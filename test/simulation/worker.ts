import { isRight } from "fp-ts/lib/Either.js";
import { hangsUp } from "./life.js";
import { runFlow } from "./run-flow.js";
import { type Server, livingProcess, serverNow } from "./server.js";
import type { World } from "./world.js";

/** One round of a server's worker, in whichever process lives; the next one is where the library says it is due. */
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
  if (!isRight(result)) return serverNow(server, scheduler.now) + 5_000;
  return result.right.nextDueAt;
};

/** Wakes the server's worker, and again when the next redemption is due, as long as there are faults to survive. */
export const deliverSoon = (world: World, server: Server, delay: number): void => {
  const { scheduler } = world;
  scheduler.after(delay, () => {
    void deliver(world, server).then((dueAt) => {
      if (dueAt === undefined) return;
      const wait = dueAt - serverNow(server, scheduler.now);
      if (scheduler.now + wait < world.endsAt) deliverSoon(world, server, Math.max(wait, 50));
    });
  });
};
