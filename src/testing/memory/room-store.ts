import type { Either } from "fp-ts/lib/Either.js";
import type { SigningKey } from "../../matrix/crypto-engine.js";
import type { EventTemplate } from "../../matrix/event.js";
import type { JsonObject } from "../../matrix/json.js";
import type { NotCompleted, SignedPdu } from "../../matrix/pdu.js";
import type { RoomLog } from "./room-log.js";

/** Who signs an event: its server name and key. */
export interface Signer {
  readonly serverName: string;
  readonly key: SigningKey;
}

/** The rooms that one server is in, and the revision that they share. */
export interface RoomStore {
  readonly logs: Map<string, RoomLog>;
  readonly revision: () => number;
  readonly complete: (
    log: RoomLog,
    templates: readonly (EventTemplate | JsonObject)[],
    /** This server, now, unless given. */
    by?: { readonly signer?: Signer | undefined; readonly time?: number },
  ) => Either<NotCompleted, readonly SignedPdu[]>;
  readonly add: (log: RoomLog, pdus: readonly SignedPdu[]) => void;
}

/** An empty store of the server that signs as `own`. */
export const roomStore = (own: Signer, now: () => number): RoomStore => {
  // Counted over all rooms, so that a room left and loaded again never comes back to an old revision.
  let revision = 0;
  let eventsMade = 0;

  const nextEventId = (signer: string): string => {
    eventsMade += 1;
    // Versions 1 and 2: what is made in another server's name must not meet that server's own IDs.
    const mark = signer === own.serverName ? "" : `.${own.serverName}`;
    return `$${eventsMade}${mark}:${signer}`;
  };

  return {
    logs: new Map(),
    revision: () => revision,
    complete: (log, templates, { signer = own, time = now() } = {}) =>
      log.complete(templates, { ...signer, now: time, nextEventId: () => nextEventId(signer.serverName) }),
    add: (log, pdus) => {
      revision += 1;
      log.add(pdus, revision);
    },
  };
};
