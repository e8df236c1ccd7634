import type { RoomId } from "matrix-third-party-invites/ports";
import type { Chance } from "./chance.js";
import { drawFaults } from "./faults.js";
import { Identity } from "./identity.js";
import { Ledger } from "./ledger.js";
import type { Room } from "./room.js";
import { Scheduler } from "./scheduler.js";
import { newServer } from "./server.js";
import { ghostOf, serverNames, usersOf } from "./setup.js";
import { onEvent, onInvited } from "./story.js";
import { noTrace, traceFrom } from "./trace.js";
import type { Violation, World } from "./world.js";

/** The first day of 2027. */
const start = Date.UTC(2027, 0, 1);

const minute = 60_000;

/** A world in which nothing has happened yet: two or three servers, their users, an identity server, no rooms. */
export const newWorld = (chance: Chance, isTraced: boolean): World => {
  const scheduler = new Scheduler(chance, start);
  const names = serverNames.slice(0, chance.pick([2, 2, 3]));
  const users = names.flatMap((name) => [...usersOf(name), ghostOf(name)]);
  const violations: Violation[] = [];
  let numbers = 0;
  const world: World = {
    chance,
    scheduler,
    faults: drawFaults(chance),
    trace: isTraced ? traceFrom(start, () => scheduler.now) : noTrace,
    ledger: new Ledger(),
    identity: new Identity("id.example", users, chance),
    servers: new Map(names.map((name) => [name, newServer(name, usersOf(name), chance)])),
    rooms: new Map<RoomId, Room>(),
    endsAt: start + chance.pick([3 * minute, 5 * minute, 30 * minute]),
    pendingOnbinds: new Set(),
    flows: new Set(),
    violations,
    violate: (check, what) => {
      world.trace.note("CHECK", () => `${check}: ${what}`);
      violations.push({ check, what });
    },
    number: () => {
      numbers += 1;
      return numbers;
    },
    onEvent: (server, event) => {
      onEvent(world, server, event);
    },
    onInvited: (server, roomId, user) => {
      onInvited(world, server, roomId, user);
    },
  };
  return world;
};
