import { type Ports, createThirdPartyInvites } from "matrix-third-party-invites";
import { roomVersion } from "matrix-third-party-invites/judge";
import { eventId } from "matrix-third-party-invites/matrix";
import type { JsonObject } from "matrix-third-party-invites/ports";
import { nodeCrypto, nodeSigningKey } from "matrix-third-party-invites/node";
import { migrate, postgresStorage } from "matrix-third-party-invites/postgres";
import { memoryInvites, memoryPorts } from "matrix-third-party-invites/testing";
import { type Figure, comparedAsync } from "./figure.js";
import { type AsyncComparison, type Effort, asyncBatchOf, ratio } from "./harness.js";
import { stubIdentityServer } from "./identity-server.js";
import { parse } from "./inputs.js";
import { newDatabase } from "./pglite.js";

const serverName = "example.org";
const creator = `@alice:${serverName}`;
const roomId = `!room:${serverName}`;
const key = nodeSigningKey("ed25519:1", new Uint8Array(32).fill(3));

/** Each event names the one before it, so that the room has one end to append to, however large it is. */
const roomEvents = (members: number): readonly JsonObject[] => {
  const version = roomVersion("10");
  if (version === undefined) throw new Error("There is no room version 10.");
  const events: JsonObject[] = [];
  let previous: string[] = [];
  const add = (type: string, stateKey: string, sender: string, content: JsonObject): void => {
    const event = parse(
      JSON.stringify({
        type,
        room_id: roomId,
        sender,
        state_key: stateKey,
        content,
        depth: events.length + 1,
        origin_server_ts: 1_700_000_000_000,
        prev_events: previous,
        auth_events: [],
        hashes: {},
        signatures: {},
      }),
    );
    const id = eventId(nodeCrypto, event, version);
    if (id._tag === "Left") throw new Error("An event of the room has no ID.");
    previous = [id.right];
    events.push(event);
  };
  add("m.room.create", "", creator, { room_version: "10", creator });
  add("m.room.member", creator, creator, { membership: "join" });
  add("m.room.power_levels", "", creator, { users: { [creator]: 100 } });
  add("m.room.join_rules", "", creator, { join_rule: "invite" });
  for (let n = 1; n < members; n += 1) {
    const user = `@member-${n}:server-${n % 100}.example.net`;
    add("m.room.member", user, user, { membership: "join", displayname: `Member ${n}` });
  }
  return events;
};

/** A server that is in one room of so many members; invites somebody new each time. */
const newServer = (members: number, invites: Ports["invites"], name: string) => {
  const ports = memoryPorts({
    crypto: nodeCrypto,
    serverName,
    key,
    identityServer: stubIdentityServer(name),
    users: new Map([[creator, { profile: { displayname: "Alice" } }]]),
    // What is in the table of one server must not be another's.
    addressKey: new Uint8Array(32).fill(name.length),
    invites,
  });
  ports.memory.load(roomId, "10", roomEvents(members));
  const server = createThirdPartyInvites(ports);
  let invited = 0;
  return () => {
    invited += 1;
    const body = {
      id_server: "id.example.com",
      id_access_token: "access",
      medium: "email",
      address: `zoe-${invited}@mail.example`,
    };
    const command = { roomId, requester: { userId: creator }, body };
    return () => server.invite(command);
  };
};

/** The same invite in a large room and in one of ten. Each storage has a table for itself, or a map. */
export const inviteBySize = (
  members: number,
  rounds: number,
  size: number,
  storage: () => Promise<Ports["invites"]> = () => Promise.resolve(memoryInvites()),
) => {
  return async (): Promise<AsyncComparison> => {
    const large = newServer(members, await storage(), "large");
    const small = newServer(10, await storage(), "ten");
    const batch = (next: typeof large) =>
      asyncBatchOf(
        Array.from({ length: size }, next),
        (invite) => invite(),
        (result) => result._tag === "Right" && result.right._tag === "ThirdPartyInvite",
      );
    return {
      size,
      warmUp: Math.ceil(rounds / 4),
      rounds,
      prepare: () => Promise.resolve({ measured: batch(large), against: batch(small) }),
    };
  };
};

/** Making the events of a large room takes seconds. */
const largeRoom = (effort: Effort): number => (effort === "smoke" ? 1000 : 100_000);

export const roomSizeFigures: readonly Figure[] = [
  comparedAsync(
    { name: "roomSize.100000over10", unit: "ratio", target: 1.1 },
    (effort) => inviteBySize(largeRoom(effort), 200, 8)(),
    ratio,
  ),
  {
    name: "roomSize.100000over10.pglite",
    unit: "ratio",
    target: 1.1,
    find: async (effort) => {
      const database = await newDatabase();
      await migrate(database);
      const invites = postgresStorage(database).invites;
      try {
        const comparison = inviteBySize(largeRoom(effort), 80, 4, () => Promise.resolve(invites));
        return await comparedAsync({ name: "", unit: "ratio", target: null }, comparison, ratio).find(effort);
      } finally {
        await database.close();
      }
    },
  },
];
