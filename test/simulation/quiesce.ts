import { judgeEnd, judgeStanding, judgeWaiting } from "./end-checks.js";
import { catchUp } from "./room-events.js";
import { requestInvite } from "./clients.js";
import { replay } from "./flood.js";
import type { Life } from "./life.js";
import { runFlow } from "./run-flow.js";
import { livingProcess } from "./server.js";
import { deliver, deliverSoon } from "./worker.js";
import type { World } from "./world.js";

const minute = 60_000;
const day = 24 * 60 * minute;

const everybodyCatchesUp = (world: World): void => {
  for (const server of world.servers.values())
    for (const roomId of server.rooms.keys()) catchUp(world, server, roomId);
};

/** What the host's scheduler does from time to time. */
const everybodyCleansUp = (world: World): void => {
  for (const server of world.servers.values()) {
    const process = livingProcess(server, world.chance);
    if (process === undefined) continue;
    for (const roomId of server.rooms.keys())
      void runFlow(world, server, process, "cleanUpInvites", (invites) => invites.cleanUpInvites({ roomId }));
  }
};

const workersWake = (world: World): void => {
  for (const server of world.servers.values()) deliverSoon(world, server, 10);
};

/**
 * Faults cease, and whatever is under way comes to its end: late messages arrive, servers are back, the identity
 * server hands over what is left, clients ask once more, workers go on as long as something is due soon. Then days
 * pass, and what can never be redeemed must be given up. Each stage runs until `settle` finds nothing left to do.
 */
export const quiesce = async (
  world: World,
  lives: readonly Life[],
  settle: () => Promise<boolean>,
): Promise<void> => {
  const { faults, scheduler, trace } = world;
  trace.note("world", () => "faults cease");
  faults.active = false;
  for (const { jumps } of world.servers.values()) jumps.clear();
  world.endsAt = scheduler.now + 180 * minute;
  workersWake(world);
  if (!(await settle())) return;
  everybodyCatchesUp(world);
  for (const life of lives) void requestInvite(world, life, false);
  workersWake(world);
  if (!(await settle())) return;
  everybodyCatchesUp(world);
  world.endsAt = scheduler.now + 130 * minute;
  workersWake(world);
  if (!(await settle())) return;
  judgeWaiting(world);
  // Where no step was cut short, there is nothing that a clean-up would have to put right.
  if (world.ledger.stumbles === 0) judgeStanding(world);
  everybodyCleansUp(world);
  if (!(await settle())) return;
  trace.note("world", () => "days pass");
  for (const over = scheduler.now + 16 * day; scheduler.now < over;) {
    const waits: number[] = [];
    for (const server of world.servers.values()) {
      void deliver(world, server).then((wait) => {
        if (wait !== undefined) waits.push(wait);
      });
      if (!(await settle())) return;
    }
    if (waits.length === 0) break;
    scheduler.now += Math.max(minute, Math.min(...waits));
  }
  judgeEnd(world);
  // Whatever is forgotten by now: nobody who was thrown out comes back by it.
  for (const onbind of world.ledger.onbinds) replay(world, onbind);
  if (!(await settle())) return;
  for (const server of world.servers.values()) {
    void deliver(world, server);
    if (!(await settle())) return;
  }
};
