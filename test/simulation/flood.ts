import { domainOf, member, stringMember } from "matrix-third-party-invites/matrix";
import type { JsonObject } from "matrix-third-party-invites/ports";
import type { Life } from "./life.js";
import { tokenName } from "./ledger.js";
import { change } from "./members.js";
import { sendForged, serverOfUser } from "./onbind-delivery.js";
import { usersOf } from "./setup.js";
import type { World } from "./world.js";

const second = 1000;

/** Servers that a stranger names as the inviters': some of the world, some that nobody ever reaches. */
const namedServers = (world: World): readonly string[] => [
  ...world.servers.keys(),
  ...Array.from({ length: 4 }, (_, number) => `far${number}.example`),
];

/** Anonymous deliveries for one server, one soon after the other: many where few may wait, else a few. */
export const flood = (world: World, { roomId, invitee }: Life): void => {
  const { chance, ledger, scheduler } = world;
  const server = serverOfUser(world, invitee);
  if (server === undefined) return;
  const { unvouched, unvouchedPerUser } = server.config.queue ?? {};
  const most = unvouched ?? unvouchedPerUser ?? 3;
  const victims = chance.happens(0.6) ? [invitee] : usersOf(server.name);
  const known = [...ledger.given.values()].filter((given) => given.roomId === roomId);
  ledger.met.add("a flood of forged proofs");
  const deliveries = server.config.queue === undefined ? 1 : 2 + chance.below(8);
  for (let number = 0; number < deliveries; number += 1) {
    const mxid = chance.pick(victims);
    const entries = Array.from({ length: 1 + chance.below(most) }, (_, at): JsonObject => {
      const [real] = chance.happens(0.5) && known.length > 0 ? [chance.pick(known)] : [];
      const token = real?.token ?? `forged${number}x${at}`;
      const sender = real?.sender ?? `@evil:${chance.pick(namedServers(world))}`;
      const signatures = { [world.identity.name]: { "ed25519:0": chance.pick(["AAAA", "BBBB", "CCCC"]) } };
      return { room_id: roomId, sender, mxid, signed: { mxid, token, signatures } };
    });
    scheduler.after(chance.below(chance.pick([5, 90]) * second), () => {
      sendForged(world, server, { mxid, invites: entries });
    });
  }
};

/** Whose proofs a delivery has, by their names. */
const proofsIn = (body: JsonObject): readonly string[] => {
  const invites = member(body, "invites");
  return (Array.isArray(invites) ? invites : []).map((invite: unknown) => {
    const signed = member(invite, "signed");
    const [token, mxid] = [stringMember(signed, "token") ?? "", stringMember(signed, "mxid") ?? ""];
    return tokenName({ roomId: stringMember(invite, "room_id") ?? "", token, mxid });
  });
};

/** Somebody who has kept a delivery sends it again: that anybody can. */
export const replay = (world: World, which: World["ledger"]["onbinds"][number]): void => {
  const server = world.servers.get(which.to);
  if (server === undefined) return;
  const { met, removed, rememberedAt } = world.ledger;
  for (const name of proofsIn(which.body)) {
    if (rememberedAt.has(`${server.name} ${name}`))
      met.add("a proof that is delivered again after it was redeemed");
    if ([...removed.values()].some((row) => tokenName(row) === name))
      met.add("a proof that is delivered again after its row was removed");
  }
  world.trace.note("evil", () => `delivers again what ${server.name} was sent`);
  sendForged(world, server, which.body);
};

/** The invitee is thrown out, and what their server was sent comes again. */
export const kickAndReplay = (world: World, { roomId, invitee }: Life): void => {
  const { chance, ledger, scheduler } = world;
  if (chance.happens(0.7))
    for (const server of world.servers.values())
      for (const user of usersOf(server.name).slice(0, 2))
        change(world, server, roomId, user, invitee, "leave");
  const sent = ledger.onbinds.filter(({ to }) => to === domainOf(invitee));
  if (sent.length === 0) return;
  const which = chance.pick(sent);
  for (let times = chance.pick([1, 1, 2]); times > 0; times -= 1)
    scheduler.after(chance.below(70 * second), () => {
      replay(world, which);
    });
};
