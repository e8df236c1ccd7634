import type { Config, OnBindOutcome } from "matrix-third-party-invites";
import type { ExchangeAnswer, ExchangeQuestion, JsonObject } from "matrix-third-party-invites/ports";
import { isRight } from "fp-ts/lib/Either.js";
import { vi } from "vitest";
import { chanceFrom } from "../simulation/chance.js";
import { Scheduler, allMicrotasks } from "../simulation/scheduler.js";
import { type World, openWorld } from "./ports.js";
import { aServer, longTerm, must, room, signedBy } from "./samples.js";

/** One entry of a delivery: whose it is, by whom, and what signs it. */
export interface Sent {
  readonly user: number;
  readonly server: string;
  readonly token: string;
  readonly isVouched?: boolean;
  /** Of one `signed` more than a real one has. */
  readonly padding?: number;
}

export const userId = (user: number): string => `@user${user}:${aServer}`;

const forgedSignatures = { "forged.example": { "ed25519:0": "A".repeat(86) } };

export const signedOf = ({ user, token, isVouched = false, padding = 0 }: Sent): JsonObject => {
  const more = padding === 0 ? {} : { more: "x".repeat(padding) };
  return isVouched
    ? signedBy(userId(user), token, longTerm, more)
    : { mxid: userId(user), token, signatures: forgedSignatures, ...more };
};

const entryOf = (sent: Sent): JsonObject => ({
  mxid: userId(sent.user),
  room_id: room,
  sender: `@inviter:${sent.server}`,
  signed: signedOf(sent),
});

/** What a server does with an exchange, and how long it takes. */
export interface Answering {
  readonly ms: number;
  readonly answer: ExchangeAnswer;
}

export interface VirtualTime {
  readonly world: World;
  /** Milliseconds since the test began. */
  readonly now: () => number;
  /** One onbind for each user of these, its entries in pieces of this many. Answers how many rows were taken. */
  readonly deliver: (entries: readonly Sent[], perDelivery?: number) => Promise<number>;
  /** When each token was tried first. */
  readonly firstTries: ReadonlyMap<string, number>;
  /** Lets time pass, up to this, or until that holds. */
  readonly run: (until: number, isOver?: () => boolean) => Promise<void>;
}

/**
 * A server that is in no room, in virtual time: a worker that a host wakes as it should, and servers that answer exchanges
 * after a while. Call `vi.unstubAllGlobals` when it is over.
 */
export const openVirtualTime = (
  answering: (question: ExchangeQuestion) => Answering,
  config: Partial<Config> = {},
): VirtualTime => {
  const pinnedKeys = new Map([["id.example", [longTerm.publicKey]]]);
  const world = openWorld({ resident: false, config: { pinnedKeys, ...config } });
  const start = world.now;
  const scheduler = new Scheduler(chanceFrom(1), start);
  const firstTries = new Map<string, number>();
  const now = (): number => world.now - start;

  // What the library waits for, so that others can run, takes no virtual time.
  let pausing = 0;
  vi.stubGlobal("setTimeout", (act: () => void) => {
    pausing += 1;
    return setImmediate(() => {
      pausing -= 1;
      act();
    });
  });
  const settled = async (): Promise<void> => {
    do await allMicrotasks();
    while (pausing > 0);
  };

  const after = (ms: number, act: () => void): void => {
    scheduler.after(scheduler.now < world.now ? ms + world.now - scheduler.now : ms, () => {
      world.now = scheduler.now;
      act();
    });
  };

  world.intercept = (call, perform) => {
    world.calls.length = 0;
    if (call.name !== "federation.exchangeThirdPartyInvite") return perform();
    const question = call.args[0] as ExchangeQuestion;
    const { token } = (question.body as { content: { third_party_invite: { signed: { token: string } } } })
      .content.third_party_invite.signed;
    if (!firstTries.has(token)) firstTries.set(token, now());
    const { ms, answer } = answering(question);
    return new Promise((resolve) => {
      after(ms, () => {
        resolve(answer);
      });
    });
  };

  /** As a host does it: at once where something is new, and when the next row is due. */
  let woken = 0;
  const wake = async (): Promise<void> => {
    const { nextDueAt } = must(await world.invites.deliverOwed());
    woken += 1;
    const mine = woken;
    if (nextDueAt !== undefined)
      after(Math.max(nextDueAt - world.now, 1), () => {
        if (mine === woken) void wake();
      });
  };

  return {
    world,
    now,
    firstTries,
    deliver: async (entries, perDelivery = 100) => {
      let taken = 0;
      const byUser = new Map<number, Sent[]>();
      for (const entry of entries) byUser.set(entry.user, [...(byUser.get(entry.user) ?? []), entry]);
      for (const [user, all] of byUser) {
        world.users.set(userId(user), {});
        for (let from = 0; from < all.length; from += perDelivery) {
          const invites = all.slice(from, from + perDelivery).map(entryOf);
          const result = await world.invites.receiveOnBind({ body: { mxid: userId(user), invites } });
          if (isRight(result)) taken += (result.right satisfies OnBindOutcome).added;
        }
      }
      void wake();
      await settled();
      return taken;
    },
    run: async (until, isOver = () => false) => {
      await settled();
      while (scheduler.nextAt <= start + until && !isOver()) {
        await scheduler.step();
        await settled();
      }
      if (!isOver()) world.now = start + until;
    },
  };
};
