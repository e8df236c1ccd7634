import { parseRoomId } from "matrix-third-party-invites/matrix";
import type { JsonObject, Observation, RedemptionRecord, RoomId } from "matrix-third-party-invites/ports";
import { expect, test } from "vitest";
import type { Answer } from "../../docs/examples/homeserver/federation-client.js";
import type { Homeserver } from "../../docs/examples/homeserver/homeserver.js";
import { type Handle, type Listener, listen } from "../../docs/examples/homeserver/listen.js";
import { at } from "../../docs/examples/homeserver/json.js";
import { type RequestLine, Transcript } from "../../docs/examples/demo/transcript.js";
import {
  type World,
  alice,
  bob,
  carol,
  idServer,
  openHomeserver,
  openWorld,
  una,
  zoe,
} from "../../docs/examples/demo/world.js";
import { checkInvariants } from "./invariants.js";

export { alice, bob, carol, idServer, una, zoe };
export const dave = "@dave:hs1.example";
export const sam = "@sam:hs3.example";

const roomVersions = ["1", "6", "10", "11", "12"];

/** A world of its own for one scenario, and what can be done in it. */
export interface Stage extends World {
  readonly roomVersion: string;
  /** An address of this scenario's; no event and no request between homeservers may hold it. */
  readonly addressOf: (name: string) => string;
  /** Moves the clock that the homeservers wait by. */
  readonly advance: (milliseconds: number) => void;
  /** Why a homeserver said no, or could not go on, in the order in which it did. */
  readonly troubles: (serverName: string) => readonly string[];
  /** The requests that have come to a server, or to all, with this in their paths. */
  readonly requestsTo: (serverName: string, path?: string) => readonly RequestLine[];
  /** From now on nothing listens where the server is reached. */
  readonly takeDown: (serverName: string) => void;
  /** From now on `instead` answers for the server, which it may ask. */
  readonly standIn: (
    serverName: string,
    instead: (request: Request, own: Handle) => Promise<Response>,
  ) => Promise<void>;
  /** The server is reached again, and answers for itself. */
  readonly bringBack: (serverName: string) => void;
  readonly addHomeserver: (name: string) => Promise<Homeserver>;
  readonly threepid: (sender: string, address: string) => JsonObject;
  readonly createRoom: (creator: string, content?: JsonObject) => Promise<RoomId>;
  readonly inviteUser: (sender: string, roomId: RoomId, userId: string) => Promise<void>;
  readonly inviteAddress: (sender: string, roomId: RoomId, address: string) => Promise<Answer>;
  readonly join: (userId: string, roomId: RoomId, body?: JsonObject) => Promise<Answer>;
  /** Invites by user ID, and joins. */
  readonly bringIn: (sender: string, roomId: RoomId, userId: string) => Promise<void>;
}

const openStage = async (roomVersion: string): Promise<Stage & { readonly check: () => void }> => {
  let ahead = 0;
  const observations = new Map<string, Observation[]>();
  const portsOf = (name: string) => {
    const own: Observation[] = [];
    observations.set(name, own);
    return {
      clock: { now: () => Date.now() + ahead },
      observe: (observation: Observation) => void own.push(observation),
    };
  };
  const transcript = new Transcript(() => undefined);
  const world = await openWorld(transcript, undefined, portsOf);
  const { network, client, identityServer } = world;

  const homeservers = [world.hs1, world.hs2];
  const listeners: Listener[] = [];
  const addresses: string[] = [];
  const places = new Map(
    [...homeservers.map(({ name }) => name), idServer].map((name) => [name, network.find(name)]),
  );
  const nobody = await listen(() => Promise.reject(new Error("Nobody is here.")));
  await nobody.close();
  const urlOf = ({ port }: Listener): string => `http://127.0.0.1:${port}`;
  const moveTo = (name: string, url: string | undefined): void => {
    const place = url ?? places.get(name);
    if (place === undefined) throw new Error(`There is no ${name}.`);
    network.register(name, place);
  };
  const serve = async (handle: Handle): Promise<string> => {
    const listener = await listen(handle);
    listeners.push(listener);
    return urlOf(listener);
  };
  const handleOf = (name: string): Handle =>
    homeservers.find((server) => server.name === name)?.handle ??
    ((request) => identityServer.handle(request));

  const inRoom = (roomId: RoomId, path: string): string => `/rooms/${encodeURIComponent(roomId)}/${path}`;
  const stage: Stage = {
    ...world,
    roomVersion,
    addressOf: (name) => {
      const address = `${name}@mail.example`;
      addresses.push(address);
      return address;
    },
    advance: (milliseconds) => {
      ahead += milliseconds;
    },
    troubles: (serverName) =>
      (observations.get(serverName) ?? []).flatMap((one) =>
        one._tag === "Refused" || one._tag === "PortFailed" ? [one.code] : [],
      ),
    requestsTo: (serverName, path = "") =>
      transcript.requests.filter((one) => one.to === serverName && one.path.includes(path)),
    takeDown: (serverName) => {
      moveTo(serverName, urlOf(nobody));
    },
    standIn: async (serverName, instead) => {
      const handle = handleOf(serverName);
      moveTo(serverName, await serve((request) => instead(request, handle)));
    },
    bringBack: (serverName) => {
      moveTo(serverName, undefined);
    },
    addHomeserver: async (name) => {
      const server = await openHomeserver(name, [sam], world, portsOf(name));
      homeservers.push(server);
      const place = await serve(server.handle);
      places.set(name, place);
      network.register(name, place);
      return server;
    },
    threepid: (sender, address) => ({
      id_server: idServer,
      id_access_token: identityServer.account(sender),
      medium: "email",
      address,
    }),
    createRoom: async (creator, content = {}) => {
      const { status, body } = await client(creator, "POST", "/createRoom", {
        room_version: roomVersion,
        ...content,
      });
      expect(status).toBe(200);
      const roomId = parseRoomId(at(body, "room_id"));
      if (roomId._tag === "Left") throw new Error("The room has no ID.");
      return roomId.right;
    },
    inviteUser: async (sender, roomId, userId) => {
      const answer = await client(sender, "POST", inRoom(roomId, "invite"), { user_id: userId });
      expect(answer).toEqual({ status: 200, body: {} });
    },
    inviteAddress: (sender, roomId, address) =>
      client(sender, "POST", inRoom(roomId, "invite"), stage.threepid(sender, address)),
    join: (userId, roomId, body = {}) => client(userId, "POST", inRoom(roomId, "join"), body),
    bringIn: async (sender, roomId, userId) => {
      await stage.inviteUser(sender, roomId, userId);
      expect((await stage.join(userId, roomId)).status).toBe(200);
    },
    close: async () => {
      await Promise.all(homeservers.slice(2).map((server) => server.stop()));
      await Promise.all([...listeners.map(({ close }) => close()), world.close()]);
    },
  };
  return {
    ...stage,
    check: () => {
      checkInvariants({ homeservers, transcript, addresses, mails: identityServer.outbox });
    },
  };
};

/** One test in each of the room versions; what must hold after every scenario is checked after this one. */
export const scenario = (name: string, play: (stage: Stage) => Promise<void>): void => {
  test.for(roomVersions)(`${name} (room version %s)`, async (roomVersion) => {
    const stage = await openStage(roomVersion);
    try {
      await play(stage);
      stage.check();
    } finally {
      await stage.close();
    }
  });
};

export const membershipOn = (server: Homeserver, roomId: RoomId, userId: string): string =>
  server.store.membership(roomId, userId);

/** The events of this type that a server has in the room, oldest first. */
export const eventsOn = (server: Homeserver, roomId: RoomId, type: string): readonly JsonObject[] =>
  server.store
    .timeline(roomId)
    .map(({ pdu }) => pdu)
    .filter((pdu) => pdu["type"] === type);

/** The invites to rooms that a server is not in. */
export const invitesOf = (server: Homeserver): readonly JsonObject[] =>
  server.database.rows("SELECT * FROM invite");

/** The events that came of proofs. */
export const provenInvitesOn = (server: Homeserver, roomId: RoomId): readonly JsonObject[] =>
  eventsOn(server, roomId, "m.room.member").filter(
    (pdu) => at(pdu, "content", "third_party_invite") !== undefined,
  );

export const signersOf = (pdu: unknown): readonly string[] => Object.keys(at(pdu, "signatures") ?? {}).sort();

const lanes = [
  "vouched",
  "unvouched",
  "vouched-again",
  "unvouched-again",
  "dead",
  "done",
  "redeemed",
] as const;

/** What a server has of each proof, in the order in which they came. */
export const redemptionsOf = async (server: Homeserver): Promise<readonly RedemptionRecord[]> => {
  const rows = await Promise.all(
    lanes.map((lane) => server.ports.redemptions.list({ lane, limit: 100 }, {})),
  );
  return rows
    .flat()
    .map(({ value }) => value)
    .sort((one, other) => one.owedAt - other.owedAt);
};

/** What a server's queue says of each proof. */
export const queueOf = async (server: Homeserver): Promise<readonly unknown[]> =>
  (await redemptionsOf(server)).map(({ state }) => (state._tag === "Dead" ? state.reason : state._tag));

/** An event that a user of the server puts into the room, past the client's endpoints. */
export const appendTo = async (server: Homeserver, roomId: RoomId, event: JsonObject): Promise<void> => {
  expect(await server.put(roomId, event)).toHaveProperty("eventId");
  await server.settled();
};

/** Works on what is due now. */
export const deliver = async (server: Homeserver): Promise<void> => {
  server.deliverSoon();
  await server.settled();
};

/** Gives a homeserver an onbind, as an identity server does. */
export const giveOnBind = async (
  { network }: World,
  server: Homeserver,
  method: "POST" | "PUT",
  body: unknown,
): Promise<number> => {
  const url = `https://${server.name}/_matrix/federation/v1/3pid/onbind`;
  const { status } = await network.as(idServer)(url, {
    method,
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  return status;
};
