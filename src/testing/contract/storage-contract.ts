import { listChecks, putChecks } from "./invites.js";
import { replaceChecks, tokenChecks } from "./invites-replace.js";
import { countChecks, leaseChecks } from "./lease.js";
import { notOwedAgainChecks, oweChecks } from "./owe.js";
import { type Racers, inviteRaces } from "./races-invites.js";
import { leaseRaces, oweRaces } from "./races-redemptions.js";
import { type Mortal, inviteRecovery, redemptionRecovery } from "./recovery.js";
import type { Checks, ContractRunner } from "./runner.js";
import { settleChecks, settleInvitedChecks } from "./settle.js";
import type { OpenStorage, StorageAdapter } from "./storage-adapter.js";

/** How many race. */
const racing = 6;

const invites: Checks<OpenStorage> = { ...putChecks, ...replaceChecks, ...tokenChecks, ...listChecks };

const redemptions: Checks<OpenStorage> = {
  ...oweChecks,
  ...notOwedAgainChecks,
  ...leaseChecks,
  ...settleChecks,
  ...settleInvitedChecks,
  ...countChecks,
};

const races: Checks<Racers> = { ...inviteRaces, ...oweRaces, ...leaseRaces };

const recovery: Checks<Mortal> = { ...inviteRecovery, ...redemptionRecovery };

/** What a check has open. */
interface Opened {
  readonly add: <Storage extends OpenStorage>(storage: Storage) => Storage;
  readonly forget: (storage: OpenStorage) => void;
}

/** Runs a check, and closes what it has open, the last first, however it ends. */
const closing = async (run: (opened: Opened) => Promise<void>): Promise<void> => {
  const all = new Set<OpenStorage>();
  try {
    await run({
      add: (storage) => {
        all.add(storage);
        return storage;
      },
      forget: (storage) => all.delete(storage),
    });
  } finally {
    for (const storage of [...all].reverse()) await storage.close?.();
  }
};

/**
 * The contracts of the ports `invites` and `redemptions` as checks of your own adapter, run by your own runner. The name
 * of a check is what the contract promises; a check that fails says what it saw instead. What no port shows cannot be
 * checked: keep the trouble of a row that waits or is dead as well.
 *
 * @example
 * import { describe, it } from "node:test";
 *
 * storageContract(
 *   { describe, it },
 *   {
 *     open: async () => myStorage(await emptyDatabase()), // { invites, redemptions, close? }
 *     connect: async (storage) => myStorage(storage.database), // another connection, for the races
 *     reopen: async (storage) => myStorage(await storage.database.restarted()),
 *   },
 * );
 */
export const storageContract = <Storage extends OpenStorage>(
  { describe, it }: ContractRunner,
  adapter: StorageAdapter<Storage>,
): void => {
  const { open, connect, reopen } = adapter;

  const each = <Subject>(
    title: string,
    checks: Checks<Subject>,
    run: ((check: (subject: Subject) => Promise<void>) => Promise<void>) | undefined,
  ): void => {
    describe(title, () => {
      for (const [name, check] of Object.entries(checks))
        if (run === undefined) it.skip?.(name, () => Promise.resolve());
        else it(name, () => run(check));
    });
  };

  const alone = (check: (storage: OpenStorage) => Promise<void>): Promise<void> =>
    closing(async (opened) => check(opened.add(await open())));

  each("invites", invites, alone);
  each("redemptions", redemptions, alone);

  each(connect === undefined ? "races over one connection" : "races over many connections", races, (check) =>
    closing(async (opened) => {
      const first = opened.add(await open());
      const others: OpenStorage[] = [];
      for (let index = 1; index < racing; index += 1)
        others.push(connect === undefined ? first : opened.add(await connect(first)));
      await check([first, ...others]);
    }),
  );

  each(
    "after a restart",
    recovery,
    reopen === undefined
      ? undefined
      : (check) =>
          closing(async (opened) => {
            const storage = opened.add(await open());
            const restart = async (): Promise<OpenStorage> => {
              const next = await reopen(storage);
              opened.forget(storage);
              return opened.add(next);
            };
            await check({ storage, restart });
          }),
  );
};
