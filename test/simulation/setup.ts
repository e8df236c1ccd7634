import { roomVersion } from "matrix-third-party-invites/judge";
import { parseRoomId, roomIdOfCreate } from "matrix-third-party-invites/matrix";
import type { JsonObject } from "matrix-third-party-invites/ports";
import { createFields, put } from "./room-events.js";
import { sure } from "./identity.js";
import { crypto } from "./keys.js";
import { Replica, type Room } from "./room.js";
import type { Server } from "./server.js";
import type { World } from "./world.js";

export const serverNames = ["hs1.example", "hs2.example", "hs3.example"] as const;

export const usersOf = (server: string): readonly string[] =>
  ["ann", "ben", "cat", "dan"].map((name) => `@${name}:${server}`);

/** A user of everybody's who may be named and does not exist. */
export const ghostOf = (server: string): string => `@ghost:${server}`;

const join = (world: World, server: Server, replica: Replica, user: string): void => {
  put(world, server, replica, {
    type: "m.room.member",
    sender: user,
    state_key: user,
    content: { membership: "join" },
  });
};

/** A room, with members of some servers in it from the start; all of them know all of it. */
export const found = (
  world: World,
  plan: { readonly version?: string; readonly alone?: boolean } = {},
): void => {
  const { chance, rooms } = world;
  const version = roomVersion(plan.version ?? chance.pick(["10", "11", "12", "12", "1"]));
  if (version === undefined) throw new Error("There is no such room version.");
  const servers = [...world.servers.values()];
  const home = chance.pick(servers);
  const creator = usersOf(home.name)[0] ?? "";
  const content: JsonObject = {
    room_version: version.id,
    ...(version.creators === "content.creator" ? { creator } : {}),
    ...(chance.happens(0.03) ? { "m.federate": false } : {}),
  };
  const create = { type: "m.room.create", sender: creator, state_key: "", content };
  const named = version.roomIdIsCreateEvent ? {} : { room_id: `!r${rooms.size}:${home.name}` };
  const id = sure(
    parseRoomId(sure(roomIdOfCreate(crypto, { ...create, ...named, ...createFields }, version))),
  );
  const room: Room = { id, version, history: new Map() };
  rooms.set(id, room);

  const replica = new Replica(room);
  home.rooms.set(id, replica);
  put(world, home, replica, create);
  join(world, home, replica, creator);
  const federates = content["m.federate"] === undefined;
  const members = servers.flatMap((server) =>
    server === home || (federates && plan.alone !== true && chance.happens(0.6))
      ? usersOf(server.name).slice(0, 1 + chance.below(2))
      : [],
  );
  const moderators = members.filter(() => chance.happens(0.5)).map((user) => [user, 50] as const);
  const owner = version.creators === "sender and additional" ? [] : [[creator, 100] as const];
  const setState = (type: string, value: JsonObject): void => {
    put(world, home, replica, { type, sender: creator, state_key: "", content: value });
  };
  setState("m.room.power_levels", {
    users: Object.fromEntries([...moderators.filter(([user]) => user !== creator), ...owner]),
    invite: chance.pick([0, 0, 50]),
  });
  setState("m.room.join_rules", { join_rule: "public" });
  for (const user of members) {
    const server = servers.find(({ name }) => user.endsWith(`:${name}`));
    if (server === undefined || user === creator) continue;
    const own = server.rooms.get(id) ?? new Replica(room);
    server.rooms.set(id, own);
    for (const one of servers) if (one.rooms.has(id)) share(world, one);
    join(world, server, own, user);
    for (const one of servers) if (one.rooms.has(id)) share(world, one);
  }
  setState("m.room.join_rules", { join_rule: chance.pick(["invite", "invite", "public"]) });
  for (const one of servers) {
    if (one.rooms.has(id)) share(world, one);
    one.everOutside.delete(id);
  }
};

/** While a room is being founded, news travel at once. */
const share = (world: World, server: Server): void => {
  for (const replica of server.rooms.values())
    for (let grown = true; grown;) {
      grown = false;
      for (const events of replica.room.history.values())
        for (const event of events)
          if (replica.isReadyFor(event)) {
            replica.add(event, world.scheduler.now);
            grown = true;
          }
    }
};
