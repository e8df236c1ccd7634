import { inviteKey } from "matrix-third-party-invites/decisions";
import { domainOf, parseServerName, parseThreepid, parseUserId } from "matrix-third-party-invites/matrix";
import type { RoomId } from "matrix-third-party-invites/ports";
import { requestInvite } from "./clients.js";
import { sure } from "./identity.js";
import { crypto } from "./keys.js";
import type { Life } from "./life.js";
import { change, join } from "./members.js";
import { bind } from "./onbind-delivery.js";
import type { RoomEvent } from "./room.js";
import { runFlow } from "./run-flow.js";
import { addressMark } from "./secrecy.js";
import { type Server, addressKey, livingProcess, residentIn } from "./server.js";
import { ghostOf, usersOf } from "./setup.js";
import { turns } from "./turns.js";
import type { World } from "./world.js";

const second = 1000;

const newLife = (world: World, number: number, before: readonly Life[]): Life => {
  const { chance } = world;
  const servers = [...world.servers.values()];
  const roomId = chance.pick([...world.rooms.keys()]);
  const inside = servers.filter((server) => residentIn(server, roomId) !== undefined);
  const server = chance.pick(inside);
  const members = (residentIn(server, roomId)?.joinedUsers() ?? []).filter((user) =>
    user.endsWith(`:${server.name}`),
  );
  const inviter = sure(parseUserId(chance.pick(members)));
  const host = chance.pick(servers).name;
  const again = before.length > 0 && chance.happens(0.3) ? chance.pick(before) : undefined;
  const threepid =
    again?.threepid ?? sure(parseThreepid("email", `zoe.${addressMark}${number}@mail${number}.example`));
  const invitee =
    again?.invitee ??
    sure(parseUserId(chance.happens(0.03) ? ghostOf(host) : chance.pick(usersOf(host).slice(1))));
  const key = inviteKey(crypto, addressKey, {
    roomId,
    sender: inviter,
    idServer: sure(parseServerName(world.identity.name)),
    threepid,
  });
  return { roomId, inviter, server, threepid, invitee, name: `${server.name} ${key}` };
};

/** Sets a life going: the requests, the binding, and whatever comes between. */
const begin = (world: World, life: Life): void => {
  const { chance, scheduler } = world;
  const start = chance.below(20 * second);
  const after = (delay: number, act: () => void): void => {
    scheduler.after(start + delay, act);
  };
  const requests = chance.pick([1, 1, 2, 2, 3]);
  for (let number = 0; number < requests; number += 1) {
    const delay = number === 0 ? 0 : chance.pick([chance.below(300), chance.below(90 * second)]);
    const resend = number > 0 && chance.happens(0.3);
    after(delay, () => void requestInvite(world, life, resend));
  }
  if (chance.happens(0.8)) {
    const delay = chance.pick([chance.below(500), chance.below(120 * second), -start / 2]);
    after(delay, () => {
      bind(world, life.threepid, life.invitee);
    });
  }
  for (const [probability, turn] of turns)
    if (chance.happens(probability))
      after(chance.pick([chance.below(1_000), chance.below(150 * second)]), () => {
        turn(world, life);
      });
};

/** All lives of a run, begun. */
export const tell = (world: World, lives: number): readonly Life[] => {
  const all: Life[] = [];
  for (let number = 0; number < lives; number += 1) {
    const life = newLife(world, number, all);
    all.push(life);
    begin(world, life);
  }
  return all;
};

/** A user who sees an invite joins, refuses, or waits. */
export const onInvited = (world: World, server: Server, roomId: RoomId, user: string): void => {
  const { chance, scheduler } = world;
  const fate = chance.below(10);
  const delay = chance.pick([chance.below(300), chance.below(30 * second)]);
  if (fate < 4) scheduler.after(delay, () => void join(world, server, user, roomId));
  else if (fate < 5)
    scheduler.after(delay, () => {
      change(world, server, roomId, user, user, "leave");
    });
};

/** What a host does with each event that comes into a room of its own. */
export const onEvent = (world: World, server: Server, event: RoomEvent): void => {
  const { everJoined } = world.ledger;
  if (event.type !== "m.room.member") return;
  if (event.content["membership"] === "join") everJoined.add(`${event.room_id} ${event.state_key}`);
  if (event.content["membership"] !== "invite") return;
  if (domainOf(event.state_key) === server.name) onInvited(world, server, event.room_id, event.state_key);
  const process = livingProcess(server, world.chance);
  if (
    event.origin !== server.name &&
    process !== undefined &&
    event.content["third_party_invite"] !== undefined
  )
    void runFlow(world, server, process, "noteRedeemed", (invites) =>
      invites.noteRedeemed({ roomId: event.room_id, event }),
    );
};
