import { inviteDirectly, joinWithProof, revoke, tidy } from "./clients.js";
import { flood, kickAndReplay } from "./flood.js";
import { hostileAct } from "./hostile.js";
import type { Life } from "./life.js";
import { change, join, set } from "./members.js";
import { serverOfUser } from "./onbind-delivery.js";
import { usersOf } from "./setup.js";
import type { World } from "./world.js";

const second = 1000;

/** A moderator redacts the event, or empties it without asking the library. */
const redact = (world: World, { roomId, name, inviter, server }: Life): void => {
  for (const token of (world.ledger.appended.get(name) ?? []).slice(-1)) {
    const where = world.chance.pick([...world.servers.values()]);
    const sender = where === server ? inviter : (usersOf(where.name)[0] ?? "");
    set(world, where, roomId, { type: "m.room.third_party_invite", sender, state_key: token, content: {} });
  }
};

const ban = (world: World, { roomId, invitee }: Life): void => {
  const server = world.chance.pick([...world.servers.values()]);
  for (const user of usersOf(server.name).slice(0, 2)) change(world, server, roomId, user, invitee, "ban");
  if (world.chance.happens(0.3))
    world.scheduler.after(world.chance.below(60 * second), () => {
      for (const user of usersOf(server.name).slice(0, 2))
        change(world, server, roomId, user, invitee, "leave");
    });
};

/** A moderator throws the invitee out; their proof may come again. */
const kick = (world: World, { roomId, invitee }: Life): void => {
  for (const server of world.servers.values())
    for (const user of usersOf(server.name).slice(0, 2))
      change(world, server, roomId, user, invitee, "leave");
};

/** Somebody comes back while what was left of their invite is tidied up. */
const comeAndGo = (world: World, life: Life): void => {
  const { chance, scheduler } = world;
  kick(world, life);
  scheduler.after(chance.below(200), () => {
    tidy(world, life);
  });
  scheduler.after(100 + chance.below(200), () => {
    inviteDirectly(world, life);
  });
};

/** The clock of one process goes wrong for a while, by days or years. */
const jump = (world: World): void => {
  const { chance, scheduler, trace } = world;
  const { jumps, processes } = chance.pick([...world.servers.values()]);
  const { name } = chance.pick(processes);
  const by = chance.pick([15, 366, 3_660, -15, -366, -3_660]) * 24 * 3_600 * second;
  trace.note(name, () => `has a clock that is off by ${by / second} s`);
  jumps.set(name, by);
  scheduler.after(chance.pick([5, 60, 600]) * second, () => {
    jumps.delete(name);
  });
};

const leave = (world: World, { roomId }: Life, user: string): void => {
  const server = serverOfUser(world, user);
  if (server !== undefined) change(world, server, roomId, user, user, "leave");
};

const demote = (world: World, { roomId, inviter }: Life): void => {
  for (const server of world.servers.values())
    for (const sender of usersOf(server.name).slice(0, 1))
      if (sender !== inviter)
        set(world, server, roomId, {
          type: "m.room.power_levels",
          sender,
          state_key: "",
          content: { users: { [sender]: 100, [inviter]: world.chance.pick([0, 50]) }, invite: 50 },
        });
};

const block = (world: World, { invitee }: Life): void => {
  const users = serverOfUser(world, invitee)?.users;
  // Nobody is made by it who was not there.
  if (users?.has(invitee) === true) users.set(invitee, { blocksInvites: true });
};

const joinAnyway = async (world: World, { roomId, invitee, server }: Life): Promise<void> => {
  const own = serverOfUser(world, invitee);
  if (own === undefined) return;
  if (!own.invited.has(`${roomId} ${invitee}`)) own.invited.set(`${roomId} ${invitee}`, server.name);
  await join(world, own, invitee, roomId);
};

/** What may come between an intent and its end, with how often it does. */
export const turns: readonly (readonly [probability: number, turn: (world: World, life: Life) => void])[] = [
  [0.08, revoke],
  [0.04, redact],
  [0.05, ban],
  [
    0.06,
    (world, life) => {
      leave(world, life, life.inviter);
    },
  ],
  [
    0.08,
    (world, life) => {
      leave(world, life, life.invitee);
    },
  ],
  [0.05, demote],
  [0.02, block],
  [0.06, inviteDirectly],
  [
    0.1,
    (world, life) => {
      void joinAnyway(world, life);
    },
  ],
  [0.12, joinWithProof],
  [
    0.06,
    (world) => {
      world.identity.rotateKey(world.scheduler.now);
    },
  ],
  [
    0.04,
    (world) => {
      world.identity.rotatePepper();
    },
  ],
  [0.12, tidy],
  [0.05, kick],
  [0.05, comeAndGo],
  [0.05, jump],
  [0.05, flood],
  [0.12, kickAndReplay],
  [0.3, hostileAct],
  [0.2, hostileAct],
];
