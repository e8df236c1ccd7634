import { isRight } from "fp-ts/lib/Either.js";
import { domainOf, member, stringMember } from "matrix-third-party-invites/matrix";
import type { Threepid, UserId } from "matrix-third-party-invites/ports";
import type { Onbind } from "../../src/testing/identity-server/effects.js";
import { tokenName } from "./ledger.js";
import { request } from "./network.js";
import { runFlow } from "./run-flow.js";
import { type Server, livingProcess } from "./server.js";
import { deliverSoon } from "./worker.js";
import type { World } from "./world.js";

/** A server handles an onbind, whoever sent it, and answers with a status. */
export const handleOnbind = async (
  world: World,
  server: Server,
  process: Parameters<typeof runFlow>[2],
  body: unknown,
): Promise<number> => {
  const result = await runFlow(world, server, process, "receiveOnBind", (invites) =>
    invites.receiveOnBind({ body }),
  );
  deliverSoon(world, server, world.chance.below(100));
  if (!isRight(result) && result.left.code === "TooManyWaiting")
    world.ledger.met.add("a delivery that finds no room");
  return isRight(result) ? 200 : result.left.status;
};

/** What a homeserver answered 200 for is its own from then on. */
const noteDelivered = (world: World, server: Server, { body }: Onbind): void => {
  const invites = member(body, "invites");
  for (const invite of Array.isArray(invites) ? invites : []) {
    const [roomId, signed] = [stringMember(invite, "room_id"), member(invite, "signed")];
    const [token, mxid] = [stringMember(signed, "token"), stringMember(signed, "mxid")];
    if (roomId === undefined || token === undefined || mxid === undefined || !server.users.has(mxid))
      continue;
    const name = tokenName({ roomId, token, mxid });
    const { delivered } = world.ledger;
    const sender = member(invite, "sender");
    if (!delivered.has(name))
      delivered.set(name, { server: server.name, roomId, token, mxid, sender, signed });
  }
};

/** Sends an onbind until it is answered 200, ever more slowly. */
const send = async (world: World, onbind: Onbind, failures: number): Promise<void> => {
  const server = world.servers.get(onbind.to);
  if (server === undefined) return;
  world.pendingOnbinds.add(onbind);
  const reply = await request(world, server, "onbind", undefined, (process) =>
    handleOnbind(world, server, process, onbind.body),
  );
  if (reply._tag === "Answer" && reply.answer === 200) {
    noteDelivered(world, server, onbind);
    world.pendingOnbinds.delete(onbind);
    return;
  }
  const wait = Math.min(1000 * 2 ** failures, 600_000);
  if (!world.faults.active && world.scheduler.now + wait > world.endsAt) return;
  world.scheduler.after(wait, () => void send(world, onbind, failures + 1));
};

/** Somebody proves an address to be theirs; their homeserver is told, with all invites that waited for it. */
export const bind = (world: World, threepid: Threepid, user: UserId): void => {
  const { identity, scheduler, trace } = world;
  trace.note("id", () => `binds an address to ${user}`);
  for (const onbind of identity.bind(threepid, user, scheduler.now)) {
    world.ledger.onbinds.push(onbind);
    void send(world, onbind, 0);
  }
};

/** A stranger sends an onbind, once. */
export const sendForged = (world: World, server: Server, body: unknown): void => {
  const process = livingProcess(server, world.chance);
  if (process !== undefined) void handleOnbind(world, server, process, body);
};

export const serverOfUser = (world: World, user: string): Server | undefined =>
  world.servers.get(domainOf(user));
