import { selectAuthEvents } from "matrix-third-party-invites/judge";
import type { JsonObject } from "matrix-third-party-invites/ports";
import { judgeByRules, stateOf } from "./append-checks.js";
import { stall, strikes } from "./faults.js";
import { placeOf } from "./ledger.js";
import type { Replica, RoomEvent } from "./room.js";
import { type Server, residentIn, serverNow } from "./server.js";
import type { World } from "./world.js";

export interface Template {
  readonly type: string;
  readonly sender: string;
  readonly state_key: string;
  readonly content: JsonObject;
}

/** An event on top of what a server has of the room. */
export const make = (now: number, server: Server, replica: Replica, template: Template): RoomEvent => {
  const { room } = replica;
  const number = (room.history.get(server.name)?.length ?? 0) + 1;
  return {
    ...template,
    event_id: `$${room.id.slice(1, 4)}.${number}:${server.name}`,
    room_id: room.id,
    origin_server_ts: now,
    origin: server.name,
    number,
    depth: replica.depth + 1,
    seen: new Map(replica.have),
    authEvents: selectAuthEvents({ ...template, room_id: room.id }, room.version).flatMap(
      ({ type, stateKey }) => replica.get(type, stateKey) ?? [],
    ),
  };
};

/** A server takes an event into its view, and who cares is told. */
export const take = (world: World, server: Server, replica: Replica, event: RoomEvent): void => {
  const { ledger, scheduler } = world;
  replica.add(event, scheduler.now);
  if (event.type === "m.room.third_party_invite" && event.content["public_keys"] === undefined)
    if (
      ledger.given
        .get(placeOf({ roomId: event.room_id, token: event.state_key }))
        ?.invite.startsWith(`${server.name} `) === true
    )
      ledger.gone(placeOf({ roomId: event.room_id, token: event.state_key }));
  if (!replica.hasMembersOf(server.name)) server.everOutside.add(replica.room.id);
  world.onEvent(server, event);
};

/** Takes from another server's events up to this one, after all that its maker had. */
const pull = (world: World, server: Server, replica: Replica, origin: string, upTo: number): void => {
  const events = replica.room.history.get(origin) ?? [];
  for (let number = (replica.have.get(origin) ?? 0) + 1; number <= upTo; number += 1) {
    const event = events[number - 1];
    if (event === undefined) return;
    for (const [other, count] of event.seen) if (other !== origin) pull(world, server, replica, other, count);
    if (!replica.isReadyFor(event)) continue;
    judgeByRules(world, event, stateOf(event, replica), `when it comes to ${server.name}`);
    take(world, server, replica, event);
  }
};

/** Everything that the room's servers have made, at once. */
export const catchUp = (world: World, server: Server, roomId: string): void => {
  const replica = residentIn(server, roomId);
  if (replica === undefined) return;
  for (const [origin, events] of replica.room.history) pull(world, server, replica, origin, events.length);
};

/** Sends an event to the room's other servers: sooner or later, in any order, and each takes them in the right one. */
const spread = (world: World, event: RoomEvent): void => {
  const { chance, faults, scheduler } = world;
  for (const server of world.servers.values()) {
    if (server.name === event.origin) continue;
    const lag = strikes(faults, chance, faults.lag) ? stall(chance) : 5 + chance.below(150);
    scheduler.after(lag, () => {
      const replica = residentIn(server, event.room_id);
      if (replica !== undefined) pull(world, server, replica, event.origin, event.number);
    });
  }
};

/** Puts an event of its own into a server's view and on its way to the others. */
export const put = (world: World, server: Server, replica: Replica, template: Template): RoomEvent => {
  const event = make(serverNow(server, world.scheduler.now), server, replica, template);
  const { history } = replica.room;
  history.set(server.name, [...(history.get(server.name) ?? []), event]);
  take(world, server, replica, event);
  spread(world, event);
  return event;
};

/** What the ID of a create event is made of beside its content. */
export const createFields = {
  origin_server_ts: 1,
  auth_events: [],
  prev_events: [],
  depth: 1,
  hashes: { sha256: "AAAA" },
} as const;
