import type { CryptoEngine, SigningKey } from "../../matrix/crypto-engine.js";
import type {
  Config,
  Federation,
  IdentityServer,
  Invites,
  Limits,
  Observe,
  Policy,
  Ports,
} from "../../ports.js";
import { type MemoryClock, memoryClock } from "./clock.js";
import { memoryInvites } from "./invites.js";
import { type MemoryRedemptions, memoryRedemptions } from "./redemptions.js";
import type { AppendHooks } from "./room-ports.js";
import { type MemoryRooms, memoryRooms } from "./rooms.js";
import { type MemoryUser, memoryUsers } from "./users.js";

export interface MemoryPortsOptions extends AppendHooks {
  readonly crypto: CryptoEngine;
  readonly serverName: string;
  /** The key that signs this server's events. */
  readonly key: SigningKey;
  readonly identityServer: IdentityServer;
  /** Who exists, by user ID; may change later. Nobody unless given. */
  readonly users?: ReadonlyMap<string, MemoryUser>;
  /** No server can be reached unless given. */
  readonly federation?: Federation;
  readonly policy?: Policy;
  readonly observe?: Observe;
  /** Given, servers can share one clock. */
  readonly clock?: MemoryClock;
  /** Always one half unless given. */
  readonly random?: () => number;
  /** 32 fixed bytes unless given: for tests only. */
  readonly addressKey?: Uint8Array;
  /** The rest of the configuration: budget, caps, ages. */
  readonly config?: Omit<Partial<Config>, "serverName" | "addressKey">;
  /** Given, storage outlives the ports, as it does when a server starts again. */
  readonly invites?: Invites;
  readonly redemptions?: MemoryRedemptions;
  /** Off unless given. */
  readonly limits?: Limits;
}

/** All ports of one server, with what a test needs to steer them. */
export interface MemoryPorts extends Ports {
  readonly clock: MemoryClock;
  readonly redemptions: MemoryRedemptions;
  /** The rooms behind the `rooms` and `events` ports, with their helpers. */
  readonly memory: MemoryRooms;
}

const nobodyReachable: Federation = {
  exchangeThirdPartyInvite: () => Promise.resolve({ _tag: "Unreachable" }),
};

/**
 * All the ports of one server, in memory. Only the engine, the server's name and key, and an identity server must be
 * given.
 *
 * @example
 * const ports = memoryPorts({ crypto: nodeCrypto, serverName: "example.org", key, identityServer });
 * const roomId = ports.memory.create({ version: "12", creator: "@alice:example.org" });
 * ports.clock.advance(60_000);
 */
export const memoryPorts = (options: MemoryPortsOptions): MemoryPorts => {
  const { crypto, serverName, identityServer, policy, observe } = options;
  const clock = options.clock ?? memoryClock();
  const memory = memoryRooms({ ...options, now: clock.now });
  return {
    config: { ...options.config, serverName, addressKey: options.addressKey ?? new Uint8Array(32).fill(7) },
    crypto,
    memory,
    rooms: memory.rooms,
    events: memory.events,
    identityServer,
    invites: options.invites ?? memoryInvites(),
    redemptions: options.redemptions ?? memoryRedemptions(),
    limits: options.limits ?? "off",
    federation: options.federation ?? nobodyReachable,
    users: memoryUsers(options.users ?? new Map()),
    clock,
    random: { fraction: options.random ?? (() => 0.5) },
    ...(policy === undefined ? {} : { policy }),
    ...(observe === undefined ? {} : { observe }),
  };
};
