import { createHash } from "node:crypto";
import { type RoomVersion, roomVersion } from "matrix-third-party-invites/judge";
import {
  type EventReference,
  completePdu,
  eventReference,
  isJsonObject,
  roomIdOfCreate,
} from "matrix-third-party-invites/matrix";
import type { JsonObject, SigningKey } from "matrix-third-party-invites/ports";
import { nodeCrypto, nodeSigningKey } from "matrix-third-party-invites/node";

/** What an `Either` of the library holds, where nothing can go wrong. */
export const got = <A>(
  either: { readonly _tag: "Left" } | { readonly _tag: "Right"; readonly right: A },
): A => {
  if (either._tag === "Left") throw new Error("An input could not be made.");
  return either.right;
};

export const versionOf = (id: string): RoomVersion => {
  const version = roomVersion(id);
  if (version === undefined) throw new Error(`There is no room version ${id}.`);
  return version;
};

export const digest = (name: string): Buffer => createHash("sha256").update(name).digest();

export const keyOf = (name: string, keyId: string): SigningKey => nodeSigningKey(keyId, digest(name));

/** Parses a JSON object; each call makes a new one. */
export const parse = (text: string): JsonObject => {
  const parsed: unknown = JSON.parse(text);
  if (!isJsonObject(parsed)) throw new Error("An input is no object.");
  return parsed;
};

export const serverName = "matrix.example.org";

/** Appends events to a new room, each completed and signed by the library. */
export const newRoom = (version: RoomVersion, creator: string, ownRoomId: string) => {
  const key = keyOf(serverName, "ed25519:a_key");
  const authEvents: EventReference[] = [];
  const texts: string[] = [];
  const complete = (event: JsonObject): JsonObject =>
    got(
      completePdu(nodeCrypto, event, {
        version,
        authEvents,
        prevEvents: authEvents.slice(-1),
        depth: texts.length + 1,
        originServerTs: 1_700_000_000_000 + texts.length,
        serverName,
        key,
      }),
    ).pdu;
  const create = complete({
    type: "m.room.create",
    ...(version.roomIdIsCreateEvent ? {} : { room_id: ownRoomId }),
    sender: creator,
    state_key: "",
    content: { room_version: version.id, ...(version.roomIdIsCreateEvent ? {} : { creator }) },
  });
  const roomId = got(roomIdOfCreate(nodeCrypto, create, version));
  texts.push(JSON.stringify(create));
  // From version 12 on the room ID stands for the create event.
  if (!version.roomIdIsCreateEvent) authEvents.push(got(eventReference(nodeCrypto, create, version)));
  const event = (type: string, content: JsonObject, more: JsonObject = {}): JsonObject =>
    complete({ type, room_id: roomId, sender: creator, ...more, content });
  return {
    roomId,
    texts,
    event,
    append: (type: string, stateKey: string, content: JsonObject, sender = creator): void => {
      const pdu = event(type, content, { sender, state_key: stateKey });
      texts.push(JSON.stringify(pdu));
      if (authEvents.length < 4) authEvents.push(got(eventReference(nodeCrypto, pdu, version)));
    },
  };
};
