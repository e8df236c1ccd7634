import { putChecks } from "./invites.js";
import { listChecks, tokenChecks } from "./invites-find.js";
import { replaceChecks } from "./invites-replace.js";
import { limitChecks } from "./limits.js";
import { type Racers, inviteRaces } from "./races-invites.js";
import { redemptionRaces } from "./races-redemptions.js";
import { recoveryChecks } from "./recovery.js";
import { claimChecks, replaceRedemptionChecks } from "./redemptions-claim.js";
import { lookChecks } from "./redemptions-look.js";
import { putRedemptionChecks } from "./redemptions-put.js";
import { removeChecks } from "./redemptions-remove.js";
import type { Checks, ContractRunner } from "./runner.js";
import { eachOf, waysToRun } from "./sessions.js";
import type { OpenStorage, StorageAdapter } from "./storage-adapter.js";

const invites: Checks<OpenStorage> = { ...putChecks, ...replaceChecks, ...tokenChecks, ...listChecks };

const redemptions: Checks<OpenStorage> = {
  ...putRedemptionChecks,
  ...claimChecks,
  ...replaceRedemptionChecks,
  ...lookChecks,
  ...removeChecks,
};

const races: Checks<Racers> = { ...inviteRaces, ...redemptionRaces };

/**
 * The contracts of the ports `invites`, `redemptions` and `limits` as checks of your own adapter, run by your own runner.
 * The name of a check is what the contract promises; a check that fails says what it saw instead. The names of checks that
 * were left out say what they need. A race that saw nothing is skipped with the reason, where the runner's checks are given
 * a context with `skip` (vitest, `node:test`): the calls of a synchronous driver never overlap in one process.
 *
 * @example
 * import { describe, it } from "node:test";
 *
 * storageContract(
 *   { describe, it },
 *   {
 *     open: async () => myStorage(await emptyDatabase()), // { invites, redemptions, limits, close? }
 *     connect: async (storage) => myStorage(storage.database), // another connection, for the races
 *     reopen: async (storage) => myStorage(await storage.database.restarted()),
 *   },
 * );
 */
export const storageContract = <Storage extends OpenStorage>(
  runner: ContractRunner,
  adapter: StorageAdapter<Storage>,
): void => {
  const each = eachOf(runner);
  const look = { key: "nobody", cost: 0, now: 0, intervalMs: 1, burst: 1 };
  const ask = (storage: OpenStorage): Promise<unknown> => storage.limits.take(look, {});
  const { alone, racing, racesTitle, mortal } = waysToRun<OpenStorage, Storage>(adapter, ask);

  each("invites", invites, alone);
  each("redemptions", redemptions, alone);
  each("limits", limitChecks, alone);
  each(racesTitle, races, racing);
  each(
    "after a restart",
    recoveryChecks,
    mortal && ((check) => mortal((storage, restart) => check({ storage, restart }))),
    "reopen",
  );
};
