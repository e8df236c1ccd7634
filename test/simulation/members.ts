import { membershipOf } from "matrix-third-party-invites/judge";
import { stringMember } from "matrix-third-party-invites/matrix";
import { type Template, put, take } from "./room-events.js";
import { request } from "./network.js";
import { Replica } from "./room.js";
import { runFlow } from "./run-flow.js";
import { type Server, livingProcess, residentIn } from "./server.js";
import type { World } from "./world.js";

const memberEvent = (sender: string, target: string, membership: string): Template => ({
  type: "m.room.member",
  sender,
  state_key: target,
  content: { membership },
});

const mayJoin = (replica: Replica, user: string): boolean => {
  const membership = membershipOf(replica.state(), user);
  if (membership === "ban") return false;
  const rule = stringMember(replica.get("m.room.join_rules")?.content, "join_rule");
  return membership === "invite" || membership === "join" || rule === "public";
};

const joinHere = (world: World, server: Server, replica: Replica, user: string): void => {
  world.trace.note(server.name.slice(0, 3), () => `${user} joins`);
  put(world, server, replica, memberEvent(user, user, "join"));
};

/** Takes over from a resident server all that this one does not have. */
const adopt = (world: World, server: Server, from: Replica): Replica => {
  const { id, history } = from.room;
  const replica = server.rooms.get(id) ?? new Replica(from.room);
  server.rooms.set(id, replica);
  const missing = [...from.have]
    .flatMap(([origin, count]) => (history.get(origin) ?? []).slice(replica.have.get(origin) ?? 0, count))
    .sort((one, other) => one.depth - other.depth || (one.event_id < other.event_id ? -1 : 1));
  for (const event of missing) take(world, server, replica, event);
  return replica;
};

/** A user joins: here if their server is in the room, else through one that is, which asks after the keys first. */
export const join = async (world: World, server: Server, user: string, roomId: string): Promise<void> => {
  const own = residentIn(server, roomId);
  if (own !== undefined) {
    if (mayJoin(own, user) && membershipOf(own.state(), user) !== "join") joinHere(world, server, own, user);
    return;
  }
  const via = world.servers.get(server.invited.get(`${roomId} ${user}`) ?? "");
  const process = livingProcess(server, world.chance);
  if (via === undefined || via === server || process === undefined) return;
  await request(world, via, "join", process, async (handler) => {
    const checked = await runFlow(world, via, handler, "checkFirstJoin", (invites) =>
      invites.checkFirstJoin({ roomId, userId: user, serverInRoom: false }),
    );
    const resident = residentIn(via, roomId);
    if (checked._tag === "Left" || resident === undefined || !mayJoin(resident, user)) return 403;
    if (residentIn(server, roomId) !== undefined) return 200;
    joinHere(world, server, adopt(world, server, resident), user);
    return 200;
  });
};

/** What a member does to a membership, their own or another's, if their server knows them to be allowed to. */
export const change = (
  world: World,
  server: Server,
  roomId: string,
  sender: string,
  target: string,
  membership: "leave" | "ban",
): void => {
  const replica = residentIn(server, roomId);
  if (replica === undefined) return;
  const state = replica.state();
  const own = sender === target;
  if (membershipOf(state, sender) !== "join" && !(own && membershipOf(state, sender) === "invite")) return;
  if (!own && !isModerator(replica, sender)) return;
  if (membership === "leave" && membershipOf(state, target) === "ban" && own) return;
  if (
    !own &&
    [...world.ledger.proven].some((name) => name.startsWith(`${roomId} `) && name.endsWith(` ${target}`))
  )
    world.ledger.met.add("a user who was invited by a proof and kicked");
  world.trace.note(server.name.slice(0, 3), () => `${sender} makes it ${membership} for ${target}`);
  put(world, server, replica, memberEvent(sender, target, membership));
};

const levelOf = (replica: Replica, user: string): number => {
  const create = replica.get("m.room.create");
  if (create?.sender === user && replica.room.version.creators === "sender and additional") return 100;
  const users: unknown = replica.get("m.room.power_levels")?.content["users"];
  const level: unknown = typeof users === "object" && users !== null ? Reflect.get(users, user) : undefined;
  return typeof level === "number" ? level : 0;
};

export const isModerator = (replica: Replica, user: string): boolean => levelOf(replica, user) >= 50;

/** Any other state event of a member with power. */
export const set = (world: World, server: Server, roomId: string, template: Template): void => {
  const replica = residentIn(server, roomId);
  if (replica === undefined || membershipOf(replica.state(), template.sender) !== "join") return;
  if (!isModerator(replica, template.sender)) return;
  world.trace.note(server.name.slice(0, 3), () => `${template.sender} sets ${template.type}`);
  put(world, server, replica, template);
};
