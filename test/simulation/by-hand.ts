import { signJson } from "matrix-third-party-invites/matrix";
import type { JsonObject, RoomId } from "matrix-third-party-invites/ports";
import { chanceFrom } from "./chance.js";
import { type Template, put } from "./room-events.js";
import { sure } from "./identity.js";
import { newWorld } from "./new-world.js";
import type { Replica, RoomEvent } from "./room.js";
import { type Flow, type Server, residentIn } from "./server.js";
import { found } from "./setup.js";
import type { Check, World } from "./world.js";

/** A world in which a test puts things by hand, past the library and past all faults. */
export interface ByHand {
  readonly world: World;
  readonly server: Server;
  /** A server that is not in the room. */
  readonly other: Server;
  readonly replica: Replica;
  readonly roomId: RoomId;
  /** The room's creator. */
  readonly owner: string;
  readonly flow: Flow;
  /** An event that nobody has appended. */
  readonly event: (template: Partial<Template>) => RoomEvent;
  readonly member: (user: string, membership: string) => void;
  /** A third-party invite of the owner's in the room, and what its key signs. */
  readonly token: () => { readonly token: string; readonly signed: (mxid: string) => JsonObject };
  readonly proven: (mxid: string, signed: JsonObject) => RoomEvent;
  readonly found: () => readonly Check[];
}

/** A seed whose world has one room, of a version before 12, with one server in it, and another outside. */
const aSeed = 4;

export const byHand = (): ByHand => {
  const world = newWorld(chanceFrom(aSeed), false);
  world.faults.active = false;
  found(world, { version: "11", alone: true });
  const [roomId] = world.rooms.keys();
  const servers = [...world.servers.values()];
  const server = servers.find((one) => roomId !== undefined && residentIn(one, roomId) !== undefined);
  const other = servers.find((one) => one !== server);
  const replica = roomId === undefined || server === undefined ? undefined : residentIn(server, roomId);
  const [process] = server?.processes ?? [];
  const owner = replica?.get("m.room.create")?.sender;
  if (
    roomId === undefined ||
    server === undefined ||
    other === undefined ||
    replica === undefined ||
    process === undefined ||
    owner === undefined
  )
    throw new Error("The world by hand is not as it should be.");

  const event = (template: Partial<Template>): RoomEvent => ({
    type: "m.room.member",
    sender: owner,
    state_key: `@zoe:${server.name}`,
    content: { membership: "invite" },
    event_id: "$by.hand",
    room_id: roomId,
    origin: server.name,
    origin_server_ts: 0,
    number: 99,
    depth: 99,
    seen: new Map(),
    authEvents: ["m.room.create", "m.room.power_levels"]
      .map((type) => replica.get(type))
      .concat(replica.get("m.room.member", owner), replica.get("m.room.third_party_invite", "tok"))
      .filter((one) => one !== undefined),
    ...template,
  });
  const { identity } = world;
  return {
    world,
    server,
    other,
    replica,
    roomId,
    owner,
    flow: {
      id: 1,
      name: "aFlow",
      server,
      process,
      startedAt: world.scheduler.now,
      resend: false,
      claimedAt: new Map(),
    },
    event,
    member: (user, membership) => {
      put(world, server, replica, {
        type: "m.room.member",
        sender: user,
        state_key: user,
        content: { membership },
      });
    },
    token: () => {
      const publicKey = identity.longTermKey();
      put(world, server, replica, {
        type: "m.room.third_party_invite",
        sender: owner,
        state_key: "tok",
        content: { display_name: "z...@e...", public_keys: [{ public_key: publicKey }] },
      });
      return {
        token: "tok",
        signed: (mxid) => sure(signJson({ mxid, token: "tok" }, identity.name, identity.state.key)),
      };
    },
    proven: (mxid, signed) =>
      event({
        state_key: mxid,
        content: { membership: "invite", third_party_invite: { display_name: "z...", signed } },
      }),
    found: () => world.violations.map(({ check }) => check),
  };
};
