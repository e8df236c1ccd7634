import { membershipOf } from "matrix-third-party-invites/judge";
import { isEmptied } from "./dead-checks.js";
import { placeOf } from "./ledger.js";
import type { Replica, RoomEvent } from "./room.js";
import type { Flow } from "./server.js";
import type { World } from "./world.js";

/** What tidies up, and so has to look again before it empties anything. */
const tidying: ReadonlySet<string> = new Set(["cleanUpInvites", "expireInvites"]);

/**
 * A third-party invite that a server of ours is about to append, against what stands in its place: nobody's pending invite
 * is written over, nor an empty event of somebody else's, and no tidying empties a token while the user who redeemed it is
 * invited.
 */
export const judgeToken = (world: World, flow: Flow, event: RoomEvent, replica: Replica): void => {
  if (event.type !== "m.room.third_party_invite") return;
  const { ledger } = world;
  const { name, server, startedAt } = flow;
  const { state_key: token, room_id: roomId } = event;
  if (!isEmptied(event)) {
    const before = replica.get(event.type, token);
    if (before !== undefined && !(isEmptied(before) && before.sender === event.sender))
      world.violate("token", `${server.name} writes ${token} of ${event.sender} over ${before.sender}'s`);
    return;
  }
  const redeemed = ledger.redeemedBy.get(`${server.name} ${placeOf({ roomId, token })}`);
  if (redeemed === undefined || redeemed.at >= startedAt || !tidying.has(name)) return;
  if (membershipOf(replica.state(), redeemed.by) === "invite")
    world.violate("token", `${name} of ${server.name} empties ${token}, by which ${redeemed.by} is invited`);
};
