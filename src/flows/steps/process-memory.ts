import type { RoomId, ServerName, UserId } from "../../matrix/ids.js";
import type { Delivered } from "./delivered.js";
import type { FlowResult, Step } from "./step.js";

/** What one process remembers between the calls of its flows. Nothing of it must outlive the process. */
export interface ProcessMemory {
  readonly servers: BackedOffServers;
  readonly validity: RememberedValidity;
  /** At most two requests at a time to one host that a key's validity is asked of. */
  readonly validityTurns: Turns;
  readonly worker: Worker;
  /** The proofs that users of ours have brought themselves and that are being redeemed. */
  readonly brought: Brought;
  /** How many requests for an invite were charged. */
  charges: number;
}

/** Names proofs by room, token and user. */
export interface Brought {
  readonly has: (...proof: readonly [RoomId, token: string, UserId]) => boolean;
  readonly during: <A>(proof: readonly [RoomId, token: string, UserId], step: Step<A>) => Step<A>;
}

const broughtProofs = (): Brought => {
  const names = new Set<string>();
  return {
    has: (...proof) => names.has(JSON.stringify(proof)),
    during: (proof, step) => async () => {
      const name = JSON.stringify(proof);
      names.add(name);
      try {
        return await step();
      } finally {
        names.delete(name);
      }
    },
  };
};

/** A call of the worker that runs, which later calls join. */
export interface Worker {
  running: FlowResult<Delivered> | undefined;
  /** Whether somebody has joined since the last claim: there may be new rows. */
  isWoken: boolean;
  /** Has it look at once, if it waits for rows that are worked on. */
  wake: (() => void) | undefined;
  /** How many claims were made: it says which lane is looked at first. */
  claims: number;
  /** How many rows have ended since the queue was trimmed. */
  endedSince: number;
  /** When the queue was trimmed, and when rows with impossible times were looked for; at first, when it began. */
  trimmedAt: number | undefined;
  staleCheckedAt: number | undefined;
  /** Since when the clock has gone on without a leap, and what it showed the last time. */
  clock: { readonly since: number; readonly seen: number } | undefined;
}

/** Whether this much time has passed. A time that lies ahead was noted by a clock that was wrong: it is over. */
export const hasPassed = (since: number, now: number, ms: number): boolean =>
  now < since || now >= since + ms;

const backLeapMs = 60_000;
const leapMs = 24 * 3_600_000;

/** For how long the clock has gone on without a leap. */
export const steadyFor = (worker: Worker, now: number): number => {
  const { since, seen } = worker.clock ?? { since: now, seen: now };
  const isLeap = now < seen - backLeapMs || now > seen + leapMs;
  worker.clock = { since: isLeap ? now : since, seen: now };
  return now - worker.clock.since;
};

const maxRemembered = 10_000;

/** A map that forgets what was set first. */
const remember = <Key, Value>(map: Map<Key, Value>, key: Key, value: Value): void => {
  map.delete(key);
  map.set(key, value);
  if (map.size <= maxRemembered) return;
  for (const [oldest] of map) {
    map.delete(oldest);
    return;
  }
};

/** Servers that are asked nothing for a while. */
export interface BackedOffServers {
  /** Until when, if it is not over. */
  readonly until: (server: ServerName, now: number) => number | undefined;
  readonly up: (server: ServerName) => void;
  /** Twice as long each time, or what the server asks for; an hour at most. Answers until when. */
  readonly down: (server: ServerName, now: number, retryAfterMs?: number) => number;
}

const firstBackOffMs = 60_000;
export const maxBackOffMs = 3_600_000;

/** A wait that somebody else asks for: what is not finite is not given. */
export const waitFrom = (given: unknown, most: number): number =>
  typeof given === "number" && Number.isFinite(given) ? Math.min(Math.max(given, 0), most) : 0;

const backedOffServers = (): BackedOffServers => {
  const servers = new Map<ServerName, { readonly until: number; readonly failures: number }>();
  return {
    until: (server, now) => {
      const until = servers.get(server)?.until ?? 0;
      // Later than any back-off lasts: the clock was set back since.
      return until > now && until <= now + maxBackOffMs ? until : undefined;
    },
    up: (server) => servers.delete(server),
    down: (server, now, retryAfterMs) => {
      const failures = Math.min((servers.get(server)?.failures ?? 0) + 1, 10);
      const own = Math.min(firstBackOffMs * 2 ** (failures - 1), maxBackOffMs);
      const until = now + Math.max(own, waitFrom(retryAfterMs, maxBackOffMs));
      remember(servers, server, { until, failures });
      return until;
    },
  };
};

/** Answers of validity URLs. */
export interface RememberedValidity {
  readonly find: (url: string, now: number) => boolean | "unknown" | undefined;
  readonly note: (url: string, now: number, valid: boolean | "unknown") => void;
}

const keptMs = (valid: boolean | "unknown"): number => {
  if (valid === "unknown") return 1_000;
  return valid ? 300_000 : 60_000;
};

const rememberedValidity = (): RememberedValidity => {
  const answers = new Map<string, { readonly at: number; readonly valid: boolean | "unknown" }>();
  return {
    find: (url, now) => {
      const known = answers.get(url);
      return known === undefined || hasPassed(known.at, now, keptMs(known.valid)) ? undefined : known.valid;
    },
    note: (url, now, valid) => {
      remember(answers, url, { at: now, valid });
    },
  };
};

/** Runs steps of one name a few at a time; those that are urgent come before the others that wait. */
export type Turns = <A>(of: { readonly name: string; readonly isUrgent: boolean }, step: Step<A>) => Step<A>;

const turns = (atATime: number): Turns => {
  const names = new Map<string, { running: number; urgent: (() => void)[]; others: (() => void)[] }>();
  return ({ name, isUrgent }, step) =>
    async () => {
      const known = names.get(name) ?? { running: 0, urgent: [], others: [] };
      names.set(name, known);
      if (known.running < atATime) known.running += 1;
      else await new Promise<void>((go) => (isUrgent ? known.urgent : known.others).push(go));
      try {
        return await step();
      } finally {
        const next = known.urgent.shift() ?? known.others.shift();
        // The turn is handed on, so that nobody who comes now overtakes those who wait.
        if (next !== undefined) next();
        else {
          known.running -= 1;
          if (known.running === 0) names.delete(name);
        }
      }
    };
};

export const processMemory = (): ProcessMemory => ({
  servers: backedOffServers(),
  validity: rememberedValidity(),
  validityTurns: turns(2),
  brought: broughtProofs(),
  charges: 0,
  worker: {
    running: undefined,
    isWoken: false,
    wake: undefined,
    claims: 0,
    endedSince: 0,
    trimmedAt: undefined,
    staleCheckedAt: undefined,
    clock: undefined,
  },
});
