import { dyingChecks, roomRecovery } from "./recovery-rooms.js";
import { roomRaces } from "./races-rooms.js";
import type { OpenRooms, RoomsAdapter } from "./rooms-adapter.js";
import { appendChecks } from "./rooms-append.js";
import { conflictChecks } from "./rooms-conflict.js";
import { sentChecks } from "./rooms-sent.js";
import { snapshotChecks } from "./rooms-snapshot.js";
import { tokensChecks } from "./rooms-tokens.js";
import type { Checks, ContractRunner } from "./runner.js";
import { eachOf, waysToRun } from "./sessions.js";

const rooms: Checks<OpenRooms> = { ...snapshotChecks, ...tokensChecks };

const events: Checks<OpenRooms> = { ...appendChecks, ...conflictChecks };

/**
 * The contracts of the ports `rooms` and `events` as checks of your own adapter, run by your own runner. The name of a
 * check is what the contract promises; a check that fails says what it saw instead. What needs other servers is not
 * checked: an invite's co-signature, a policy server's, that events go out; nor *Incomplete*.
 *
 * @example
 * import { describe, it } from "node:test";
 *
 * roomsContract(
 *   { describe, it },
 *   {
 *     open: async () => myRooms(await emptyDatabase()), // { rooms, events, room, change, leave, close? }
 *     connect: async (host) => myRooms(host.database), // another process, for the races
 *     reopen: async (host) => myRooms(await host.database.restarted()),
 *     dieAfter: (host, writes) => host.database.failAfter(writes), // for an append that is torn
 *   },
 * );
 */
export const roomsContract = <Own extends OpenRooms>(
  runner: ContractRunner,
  adapter: RoomsAdapter<Own>,
): void => {
  const each = eachOf(runner);
  const { alone, racing, racesTitle, mortal } = waysToRun<OpenRooms, Own>(adapter);
  const { dieAfter, sent } = adapter;

  each("rooms", rooms, alone);
  each("events", events, alone);
  each(racesTitle, roomRaces, racing);
  each(
    "after a restart",
    roomRecovery,
    mortal && ((check) => mortal((opened, restart) => check({ opened, restart }))),
    "reopen",
  );
  each(
    "where the process dies in an append",
    dyingChecks,
    mortal &&
      dieAfter &&
      ((check) =>
        check((death) =>
          mortal((opened, restart) =>
            death({
              opened,
              restart,
              dieAfter: (writes) => {
                dieAfter(opened, writes);
              },
            }),
          ),
        )),
    "reopen and dieAfter",
  );
  each(
    "events as they go out",
    sentChecks,
    sent &&
      ((check) =>
        alone((opened) =>
          check({
            opened,
            serverName: sent.serverName,
            key: sent.key,
            pduOf: ({ roomId }, eventId) => sent.pdu(opened, roomId, eventId),
          }),
        )),
    "sent",
  );
};
