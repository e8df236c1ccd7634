import type { RoomId } from "matrix-third-party-invites/ports";
import type { Onbind } from "../../src/testing/identity-server/effects.js";
import type { Chance } from "./chance.js";
import { type Faults, stall, strikes } from "./faults.js";
import type { Identity } from "./identity.js";
import type { Ledger } from "./ledger.js";
import type { Room, RoomEvent } from "./room.js";
import type { Process, Scheduler } from "./scheduler.js";
import type { Flow, Server } from "./server.js";
import type { Trace } from "./trace.js";

/** What every run is held against; the names stand in reports. */
export const checks = {
  rules: "an event that the authorisation rules refuse",
  proof: "a proven invite without a valid proof",
  joined: "a joined member thrown out",
  name: "an event in the name of a user for whom this server may not speak",
  "one mail": "a second mail for one invite",
  redeemed: "a redeemable invite that was not redeemed, or twice",
  secrecy: "an address or key material outside",
  dead: "a redemption given up without reason",
  flow: "a flow that threw, or never came to an end",
  life: "a stored invite that moved as its life cannot",
  queue: "a redemption owed, held or settled as it must not be",
  standing: "two tokens of one invite that stand in a room",
  token: "a third-party invite written over or emptied that must stay",
} as const;

export type Check = keyof typeof checks;

export interface Violation {
  readonly check: Check;
  readonly what: string;
}

/** One run: all who take part in it, and what is known of it so far. */
export interface World {
  readonly chance: Chance;
  readonly scheduler: Scheduler;
  readonly faults: Faults;
  readonly trace: Trace;
  readonly ledger: Ledger;
  readonly identity: Identity;
  readonly servers: ReadonlyMap<string, Server>;
  readonly rooms: Map<RoomId, Room>;
  /** When the faults cease. */
  endsAt: number;
  /** What the identity server has still to hand over. */
  readonly pendingOnbinds: Set<Onbind>;
  /** Flows under way. */
  readonly flows: Set<Flow>;
  readonly violations: Violation[];
  readonly violate: (check: Check, what: string) => void;
  /** A new number for whatever needs one. */
  readonly number: () => number;
  /** Told when a server has taken an event, or an invite from afar, into its view. */
  readonly onEvent: (server: Server, event: RoomEvent) => void;
  readonly onInvited: (server: Server, roomId: RoomId, userId: string) => void;
}

/** A process dies; after a while another takes its place over the same storage. */
export const crash = (world: World, server: Server, process: Process): void => {
  if (!process.alive) return;
  process.alive = false;
  world.ledger.stumbles += 1;
  world.trace.note(process.name, () => "crashes");
  const downtime = world.chance.happens(0.2) ? stall(world.chance) : 100 + world.chance.below(3_000);
  world.scheduler.after(downtime, () => {
    const place = server.processes.indexOf(process);
    if (place < 0) return;
    server.processes[place] = { name: process.name, alive: true };
    world.trace.note(process.name, () => "is back");
  });
};

export const mayCrash = (world: World, server: Server, process: Process): void => {
  if (strikes(world.faults, world.chance, world.faults.crash)) crash(world, server, process);
};
