/** What `roomsContract` asks of the published SDK: rooms of version 10 over its collections in memory. */
import { isJsonObject, parseRoomId, parseUserId } from "matrix-third-party-invites/matrix";
import type { JsonObject, RoomId } from "matrix-third-party-invites/ports";
import { nodeCrypto, nodeSigningKey } from "matrix-third-party-invites/node";
import {
  type ContractRunner,
  type OpenRooms,
  type RoomsAdapter,
  memoryRooms,
} from "matrix-third-party-invites/testing";
import { expect, it } from "vitest";
import { type Store, eventsPort, roomsPort } from "../adapter.js";
import type { FederationSdk } from "../sdk.js";
import { rightOf } from "../../../../test/interop/transcript.js";
import { type TestSdk, collections, seed, serverName, wrap } from "./published-sdk.js";

const version = "10";
const key = nodeSigningKey("ed25519:1", seed);
const user = (id: string) => rightOf(parseUserId(id));
const ours = user(`@alice:${serverName}`);
const theirs = user("@yan:hs2.example");
const invitee = user(`@zoe:${serverName}`);

const member = (userId: string, membership: string) => ({
  type: "m.room.member",
  sender: userId,
  state_key: userId,
  content: { membership },
});

/** Its creator's, whom another server's user has joined. */
const newRoom = async (sdk: TestSdk): Promise<RoomId> => {
  const memory = memoryRooms({ crypto: nodeCrypto, serverName, key });
  const powerLevels = { users: { [ours]: 100, [theirs]: 100 } };
  const roomId = memory.create({
    version,
    creator: ours,
    roomId: `!${collections.EventCollection.rows.length}:${serverName}`,
    joinRule: "public",
    powerLevels,
  });
  memory.append(roomId, member(theirs, "join"));
  for (const { pdu } of memory.timeline(roomId)) await sdk.handlePdu(await wrap(sdk, pdu, version));
  return rightOf(parseRoomId(roomId));
};

const openRooms = (sdk: TestSdk, store: Store): OpenRooms => {
  const change = async (roomId: RoomId, event: object): Promise<void> => {
    const bare = { auth_events: [], prev_events: [], depth: 0, origin_server_ts: Date.now() };
    await store(await sdk.buildEvent({ ...bare, ...event, room_id: roomId }, version));
  };
  // There is no other server to send anything to.
  const alone: FederationSdk = Object.create(sdk, {
    sendEventToAllServersInRoom: { value: () => Promise.resolve() },
  }) as TestSdk;
  return {
    rooms: roomsPort(alone),
    events: eventsPort(alone, store),
    room: async () => ({ roomId: await newRoom(sdk), ours, theirs, invitee }),
    change,
    leave: (roomId) => change(roomId, member(ours, "leave")),
  };
};

const pdu = (_own: OpenRooms, _roomId: RoomId, eventId: string): Promise<JsonObject | undefined> => {
  const row = collections.EventCollection.rows.find(({ _id }) => _id === eventId);
  const event = row?.["event"];
  return Promise.resolve(isJsonObject(event) ? event : undefined);
};

/** `sdk` is asked for when a check runs: the tests make one of them first. */
export const sdkRooms = (sdk: () => TestSdk, storeOf: (by: TestSdk) => Store): RoomsAdapter => ({
  open: () => Promise.resolve(openRooms(sdk(), storeOf(sdk()))),
  sent: { serverName, key, pdu },
});

/** A runner that expects these checks to fail, with this in what they say. */
export const knowing = (broken: Readonly<Record<string, RegExp>>, describe: ContractRunner["describe"]) => {
  const run = (name: string, check: () => Promise<void>): void => {
    const said = broken[name];
    if (said === undefined) it(name, check);
    else it(`does not keep: ${name}`, () => expect(check()).rejects.toThrow(said));
  };
  return { describe, it: Object.assign(run, { skip: it.skip }) };
};
