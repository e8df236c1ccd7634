import type { Invites, LeasedRedemption, Limits, Redemptions } from "../../ports.js";
import { expectPresent, expectTrue } from "./expect.js";
import { due, leaseMs } from "./samples.js";

/** The two ports over one storage. */
export interface OpenStorage {
  readonly invites: Invites;
  readonly redemptions: Redemptions;
  readonly limits: Limits;
  /** Called when a check is over. */
  readonly close?: () => Promise<void>;
}

/** What the kit needs of whoever checks an adapter. */
export interface StorageAdapter<Storage extends OpenStorage = OpenStorage> {
  /** New storage, with nothing in it. Each check opens its own. */
  readonly open: () => Promise<Storage>;
  /**
   * One more connection to the same storage, independent of the others, as another process would have it. The races
   * are then run over several; without it they show only what one connection does with calls that overlap.
   */
  readonly connect?: (storage: Storage) => Promise<OpenStorage>;
  /**
   * The same storage as a process finds it that starts after this one has died, with whatever this one was doing. The
   * old storage is neither used nor closed again. Without it, nothing is checked of what must outlive a process.
   */
  readonly reopen?: (storage: Storage) => Promise<OpenStorage>;
}

/** Up to `limit` rows, for a worker that comes at `now`. */
export const leaseAt = (
  { redemptions }: Pick<OpenStorage, "redemptions">,
  now = due,
  limit = 100,
): Promise<readonly LeasedRedemption[]> => redemptions.lease({ now, until: now + leaseMs, limit }, {});

/** The one row that is due. */
export const leaseOne = async (
  storage: Pick<OpenStorage, "redemptions">,
  now = due,
): Promise<LeasedRedemption> => {
  const [row] = await leaseAt(storage, now, 1);
  return expectPresent(row, "A row that waits, is due and under no lease was not handed out.");
};

export const tokensAt = async (
  storage: Pick<OpenStorage, "redemptions">,
  now = due,
): Promise<readonly string[]> =>
  (await leaseAt(storage, now)).map(({ redemption }) => redemption.token).sort();

/** Long after every lease and every delay of the checks. */
export const muchLater = due + 1_000 * leaseMs;

/** Settles whatever still waits as done, once every lease has run out. */
export const finishAll = async (storage: Pick<OpenStorage, "redemptions">): Promise<void> => {
  for (const { redemption, lease } of await leaseAt(storage, muchLater))
    await storage.redemptions.settle(redemption, lease, { _tag: "Done" }, {});
};

/** The row is over: nobody gets it ever again, nobody waits for it, and nothing is due. */
export const expectSettled = async (
  storage: Pick<OpenStorage, "redemptions">,
  how: string,
): Promise<void> => {
  const left = await tokensAt(storage, muchLater);
  expectTrue(left.length === 0, `A row that ${how} was handed out again.`);
  const next = await storage.redemptions.nextDueAt({});
  expectTrue(next === undefined, `nextDueAt waits for a row that ${how}.`);
};
