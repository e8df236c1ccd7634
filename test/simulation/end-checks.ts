import { authorize } from "matrix-third-party-invites/judge";
import { redemptionId } from "matrix-third-party-invites/decisions";
import { domainOf, isJsonObject, member, parseRoomId, parseUserId } from "matrix-third-party-invites/matrix";
import type { RedemptionId, RedemptionRecord } from "matrix-third-party-invites/ports";
import { isEmptied } from "./dead-checks.js";
import { sure } from "./identity.js";
import { isSame } from "./life-checks.js";
import { crypto } from "./keys.js";
import { type Delivered, placeOf, tokenName } from "./ledger.js";
import { keysThatProve } from "./proof-check.js";
import type { Replica, RoomEvent } from "./room.js";
import { type Server, residentIn } from "./server.js";
import type { World } from "./world.js";

type Owed = Pick<RedemptionRecord, "roomId" | "token" | "mxid" | "sender"> & { readonly signed: unknown };

/** Whether a server that is in the room would see nothing against the invite. */
const couldMake = (world: World, server: Server, { roomId, token, mxid, signed }: Owed): boolean => {
  const replica = residentIn(server, roomId);
  const tokenEvent = replica?.get("m.room.third_party_invite", token);
  if (replica === undefined || tokenEvent === undefined || isEmptied(tokenEvent)) return false;
  if (replica.get("m.room.member", mxid)?.content["membership"] === "ban") return false;
  if (member(replica.get("m.room.create")?.content, "m.federate") === false) return false;
  return keysThatProve(signed, tokenEvent.content).some((key) => world.identity.vouchesFor(key));
};

/** Whether somebody who is asked in the end makes the invite: the inviter's server, or the invitee's own in the room. */
const isRedeemable = (world: World, server: Server, row: Owed): boolean => {
  const inviters = world.servers.get(domainOf(row.sender));
  return couldMake(world, server, row) || (inviters !== undefined && couldMake(world, inviters, row));
};

/** Faults have ceased, and every worker has had its time: nothing waits that could be redeemed. */
export const judgeWaiting = (world: World): void => {
  for (const server of world.servers.values())
    for (const row of server.redemptions.all())
      if (row.state._tag === "Waiting" && isRedeemable(world, server, { ...row, signed: row.state.signed }))
        world.violate("redeemed", `${server.name} has not redeemed ${row.token} for ${row.mxid}`);
  for (const { to } of world.pendingOnbinds)
    if (world.servers.get(to)?.config.queue === undefined)
      world.violate("redeemed", `${to} never takes what an identity server has for it`);
};

/** Under which id a delivery is stored. */
const deliveredId = ({ roomId, token, mxid, signed, sender }: Delivered): RedemptionId | undefined => {
  if (!isJsonObject(signed)) return undefined;
  const proof = { mxid: sure(parseUserId(mxid)), token, json: signed };
  const from = sure(parseUserId(sender));
  return redemptionId(crypto, { roomId: sure(parseRoomId(roomId)), sender: from, signed: proof });
};

/** How old a proof becomes that is never redeemed: what the configuration says, and the wait for the last try. */
const ageOf = (world: World, server: string): number =>
  (world.servers.get(server)?.config.redemptionAgeMs ?? 0) + 24 * 3_600_000;

/** Each proof that was answered 200 is a row, and each row that is redeemed or done has something to show. */
const judgeDelivered = (world: World): void => {
  const { delivered, proven, everJoined } = world.ledger;
  for (const [name, delivery] of delivered) {
    const { server: serverName, roomId, mxid } = delivery;
    const rows = world.servers.get(serverName)?.redemptions.all() ?? [];
    const own = rows.filter((one) => tokenName(one) === name);
    const row =
      own.find(({ state }) => state._tag === "Redeemed") ??
      own.find(
        ({ id, state }) =>
          id === deliveredId(delivery) && (!("signed" in state) || isSame(state.signed, delivery.signed)),
      );
    if (row === undefined && world.ledger.removed.has(`${serverName} ${deliveredId(delivery) ?? ""}`))
      continue;
    if (row === undefined) {
      world.violate("redeemed", `${serverName} has lost a proof that it answered 200 for: ${name}`);
      continue;
    }
    const shown = proven.has(name) || (row.state._tag === "Done" && everJoined.has(`${roomId} ${mxid}`));
    if ((row.state._tag === "Done" || row.state._tag === "Redeemed") && !shown)
      world.violate("redeemed", `${serverName} is done with ${name}, and nobody was invited`);
    // Where a clock was wrong, its age may count from a later time.
    if (row.state._tag === "Waiting" && row.owedAt + ageOf(world, serverName) <= world.scheduler.now)
      world.violate("redeemed", `${serverName} never comes to an end with ${name}`);
  }
};

/** Whether the sender of a third-party invite could still empty it. */
const couldEmpty = (replica: Replica, event: RoomEvent): boolean =>
  authorize({ ...event, content: {} }, replica.state(), crypto)._tag === "Allow";

/** Of one invite no two tokens stand in the room, but for those that were redeemed. */
export const judgeStanding = (world: World): void => {
  const { appended, proven, givenTwice } = world.ledger;
  for (const [name, tokens] of appended) {
    const server = world.servers.get(name.slice(0, name.indexOf(" ")));
    if (server === undefined) continue;
    for (const roomId of server.rooms.keys()) {
      const replica = residentIn(server, roomId);
      const open = [...new Set(tokens)].filter((token) => {
        const event = replica?.get("m.room.third_party_invite", token);
        if (
          replica === undefined ||
          event === undefined ||
          isEmptied(event) ||
          givenTwice.has(placeOf({ roomId, token }))
        )
          return false;
        return couldEmpty(replica, event) && ![...proven].some((one) => one.includes(` ${token} `));
      });
      if (open.length > 1)
        world.violate("standing", `${open.join(" and ")} stand for one invite of ${server.name}`);
    }
  }
};

const judgeFlows = (world: World): void => {
  for (const { name, id, process, server } of world.flows)
    if (process.alive) world.violate("flow", `${name}#${id} of ${server.name} never ended`);
};

/** Everything that can be said only when nothing happens any more. */
export const judgeEnd = (world: World): void => {
  judgeFlows(world);
  judgeDelivered(world);
  judgeStanding(world);
};
