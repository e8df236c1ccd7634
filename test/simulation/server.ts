import type { Config } from "matrix-third-party-invites";
import type { Invites } from "matrix-third-party-invites/ports";
import {
  type MemoryRedemptions,
  type MemoryUser,
  memoryInvites,
  memoryRedemptions,
} from "matrix-third-party-invites/testing";
import type { Chance } from "./chance.js";
import type { Replica } from "./room.js";
import type { Process } from "./scheduler.js";

/** A homeserver: what survives a crash, and the processes that do not. */
export interface Server {
  readonly name: string;
  readonly config: Config;
  /** How far its clock is off. */
  readonly skew: number;
  /** How far the clocks of its processes are off beside that, by their names. */
  readonly jumps: Map<string, number>;
  readonly users: Map<string, MemoryUser>;
  readonly invites: Invites;
  readonly redemptions: MemoryRedemptions;
  readonly rooms: Map<string, Replica>;
  /** Rooms that this server was once not in, or no longer in, while it had something of them. */
  readonly everOutside: Set<string>;
  /** By room and user: who may bring them in. */
  readonly invited: Map<string, string>;
  readonly processes: Process[];
}

/** One run of a flow of the library, in one process. */
export interface Flow {
  readonly id: number;
  readonly name: string;
  readonly server: Server;
  readonly process: Process;
  readonly startedAt: number;
  /** Whether a second mail was asked for. */
  readonly resend: boolean;
  /** When it took the first redemption of a token and a user, by their name. */
  readonly claimedAt: Map<string, number>;
}

/** Bytes whose every spelling can be looked for. */
export const addressKey = new TextEncoder().encode("keymark-keymark-keymark-keymark!");

const hour = 3_600_000;

/** Caps that a run can reach: on what waits for a user, on what waits at all, on what has ended. */
const drawQueue = (chance: Chance): Pick<Config, "queue" | "redemptionAgeMs"> => {
  const queue = chance.pick([
    ...Array.from({ length: 16 }, () => undefined),
    { unvouchedPerUser: 6, vouchedPerUser: 6 },
    { unvouchedPerUser: 6, vouchedPerUser: 6 },
    { unvouched: 2, vouched: 2 },
    { dead: 1, done: 1 },
    { dead: 1, done: 1 },
  ]);
  // What a flood leaves there would be tried a hundred times.
  return queue === undefined ? {} : { queue, redemptionAgeMs: hour };
};

export const newServer = (name: string, users: readonly string[], chance: Chance): Server => ({
  name,
  config: {
    serverName: name,
    addressKey,
    askedForMs: chance.pick([60_000, 60_000, 5_000]),
    leaseMs: chance.pick([60_000, 60_000, 10_000, 2_000]),
    redemptionAgeMs: chance.pick([14 * 24 * hour, 14 * 24 * hour, 14 * 24 * hour, hour]),
    ...drawQueue(chance),
    ...(chance.happens(0.1) ? { maxPairs: 4 } : {}),
  },
  skew: chance.pick([0, 0, 0, 1_500, -1_500, 40_000, -40_000]),
  jumps: new Map(),
  users: new Map(
    users.map((user) => [user, { profile: { displayname: `Somebody ${user}` } } satisfies MemoryUser]),
  ),
  invites: memoryInvites(),
  redemptions: memoryRedemptions(),
  rooms: new Map(),
  everOutside: new Set(),
  invited: new Map(),
  processes: [
    { name: `${name.slice(0, 3)}/1`, alive: true },
    ...(chance.happens(0.5) ? [{ name: `${name.slice(0, 3)}/2`, alive: true }] : []),
  ],
});

/** A process that can take a request now. */
export const livingProcess = (server: Server, chance: Chance): Process | undefined => {
  const living = server.processes.filter(({ alive }) => alive);
  return living.length === 0 ? undefined : chance.pick(living);
};

export const serverNow = (server: Server, now: number): number => now + server.skew;

/** What the clock of one process shows. */
export const processNow = (server: Server, { name }: Process, now: number): number =>
  serverNow(server, now) + (server.jumps.get(name) ?? 0);

/** The server's view of a room that it is in. */
export const residentIn = (server: Server, roomId: string): Replica | undefined => {
  const replica = server.rooms.get(roomId);
  return replica?.hasMembersOf(server.name) === true ? replica : undefined;
};
