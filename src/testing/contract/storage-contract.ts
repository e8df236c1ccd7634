import { listChecks, putChecks } from "./invites.js";
import { replaceChecks, tokenChecks } from "./invites-replace.js";
import { countChecks, leaseChecks } from "./lease.js";
import { notOwedAgainChecks, oweChecks } from "./owe.js";
import { type Racers, inviteRaces } from "./races-invites.js";
import { leaseRaces, oweRaces } from "./races-redemptions.js";
import { tokenRaces } from "./races-token.js";
import { postponeChecks } from "./postpone.js";
import { type Mortal, inviteRecovery, redemptionRecovery } from "./recovery.js";
import { redeemedChecks } from "./redeemed.js";
import type { Checks, ContractRunner } from "./runner.js";
import { eachOf, waysToRun } from "./sessions.js";
import { settleChecks } from "./settle.js";
import type { OpenStorage, StorageAdapter } from "./storage-adapter.js";

const invites: Checks<OpenStorage> = { ...putChecks, ...replaceChecks, ...tokenChecks, ...listChecks };

const redemptions: Checks<OpenStorage> = {
  ...oweChecks,
  ...notOwedAgainChecks,
  ...leaseChecks,
  ...settleChecks,
  ...redeemedChecks,
  ...postponeChecks,
  ...countChecks,
};

const races: Checks<Racers> = { ...inviteRaces, ...oweRaces, ...leaseRaces, ...tokenRaces };

const recovery: Checks<Mortal> = { ...inviteRecovery, ...redemptionRecovery };

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
  runner: ContractRunner,
  adapter: StorageAdapter<Storage>,
): void => {
  const each = eachOf(runner);
  const { alone, racing, racesTitle, mortal } = waysToRun<OpenStorage, Storage>(adapter);

  each("invites", invites, alone);
  each("redemptions", redemptions, alone);
  each(racesTitle, races, racing);
  each(
    "after a restart",
    recovery,
    mortal && ((check) => mortal((storage, restart) => check({ storage, restart }))),
  );
};
