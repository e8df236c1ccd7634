import type { RoomId, Threepid, UserId } from "matrix-third-party-invites/ports";
import { strikes } from "./faults.js";
import type { Server } from "./server.js";
import type { World } from "./world.js";

/** One invite, from the intent to its end, and who has to do with it. */
export interface Life {
  readonly roomId: RoomId;
  readonly inviter: UserId;
  readonly server: Server;
  readonly threepid: Threepid;
  readonly invitee: UserId;
  /** The name of the invite in the ledger. */
  readonly name: string;
}

/** What a caller stops a flow with, where it is one that hangs up. */
export const hangsUp = ({ chance, faults, scheduler }: World): { readonly signal?: AbortSignal } => {
  if (!strikes(faults, chance, faults.cancel)) return {};
  const stop = new AbortController();
  scheduler.after(chance.below(400), () => {
    stop.abort();
  });
  return { signal: stop.signal };
};
