import { type Either, isLeft, isRight, left, right } from "fp-ts/lib/Either.js";
import { type KnownKeys, verifiedSigners } from "../matrix/check-pdu.js";
import type { CryptoEngine } from "../matrix/crypto-engine.js";
import { type StateEntry, entry } from "../matrix/event.js";
import { checkEventFormat } from "../matrix/event-format.js";
import { type RoomId, parseUserId } from "../matrix/ids.js";
import {
  type JsonObject,
  entriesOf,
  hasMember,
  isJsonObject,
  member,
  withoutMembers,
} from "../matrix/json.js";
import { contentHashMatches, roomIdOfCreate } from "../matrix/pdu.js";
import { requiredSigners } from "../matrix/required-signers.js";
import { type RoomState, stateEvent } from "../matrix/room-state.js";
import type { RoomVersion } from "../matrix/room-version.js";
import { isEd25519 } from "../matrix/signed-json.js";
import { type Refusal, refuse } from "../refusal.js";

/** What of a state event may be shown to clients that are not in its room. */
export interface StrippedEvent {
  readonly type: string;
  readonly state_key: string;
  readonly sender: string;
  readonly content: JsonObject;
}

const types = [
  "m.room.create",
  "m.room.join_rules",
  "m.room.canonical_alias",
  "m.room.avatar",
  "m.room.encryption",
  "m.room.name",
  "m.room.topic",
];

/**
 * The places in a room's state that an invite shows to the invitee: what the specification lists, and the member event
 * of the inviter.
 *
 * Stripped state has these events: https://spec.matrix.org/v1.19/client-server-api/#stripped-state
 */
export const inviteStateEntries = (inviter: string): readonly StateEntry[] => [
  ...types.map((type) => entry(type)),
  entry("m.room.member", inviter),
];

/**
 * Makes `invite_room_state` of `PUT /_matrix/federation/v2/invite/{roomId}/{eventId}` from a state whose events are PDUs:
 * those of {@link inviteStateEntries} that the room has, whole, in every room version. `unsigned`, and the `event_id` that a
 * host may have attached, are left out.
 *
 * All of them are formatted as the room's version says: https://spec.matrix.org/v1.19/server-server-api/#put_matrixfederationv2inviteroomideventid
 *
 * @example
 * const invite_room_state = inviteRoomState(state, "@alice:example.org"); // [{ type: "m.room.create", … }, …]
 */
export const inviteRoomState = (state: RoomState, inviter: string): readonly JsonObject[] => {
  const local = state.version.eventId === "field" ? ["unsigned"] : ["unsigned", "event_id"];
  return inviteStateEntries(inviter).flatMap(({ type, stateKey }) => {
    const event: unknown = stateEvent(state, type, stateKey);
    return isJsonObject(event) ? [withoutMembers(event, local)] : [];
  });
};

/** The room that an invite is for, and how strictly its state is checked. */
export interface InvitedRoom {
  readonly roomId: RoomId;
  readonly version: RoomVersion;
  /** What is known of the servers' keys. Signatures by keys that are not known are passed over. */
  readonly keys?: KnownKeys | undefined;
  /** Whether stripped events are refused in room version 12 and later, as the specification has it (D-187). */
  readonly strict?: boolean | undefined;
}

/** Unchecked JSON as a stripped event: the members that every state event has. */
const strippedFrom = (item: unknown): StrippedEvent | undefined => {
  const [type, state_key, content] = ["type", "state_key", "content"].map((name) => member(item, name));
  const sender = parseUserId(member(item, "sender"));
  return typeof type === "string" && typeof state_key === "string" && isJsonObject(content) && isRight(sender)
    ? { type, state_key, sender: sender.right, content }
    : undefined;
};

const strippedMembers: ReadonlySet<string> = new Set(["type", "state_key", "sender", "content"]);

/** Whether those servers that must have signed, and whose keys are known, have; from version 12 on the others seem to. */
const isSigned = (crypto: CryptoEngine, pdu: JsonObject, { version, keys }: InvitedRoom): boolean => {
  const signers = keys === undefined ? undefined : verifiedSigners(crypto, pdu, version, keys);
  return requiredSigners(pdu, version, contentHashMatches(crypto, pdu, version)).every((server) => {
    const ids = entriesOf(member(member(pdu, "signatures"), server)).flatMap(([id]) =>
      isEd25519(id) ? [id] : [],
    );
    const isKnown = ids.some((id) => keys?.keyOf(server, id) !== undefined);
    return isKnown ? signers?.has(server) === true : ids.length > 0 || !version.roomIdIsCreateEvent;
  });
};

/** What is wrong with a state event of the list. */
const faultOf = (crypto: CryptoEngine, item: JsonObject, room: InvitedRoom): string | undefined => {
  const { roomId, version } = room;
  if (hasMember(item, "room_id") && item["room_id"] !== roomId) return "is of another room";
  const isCreate = item["type"] === "m.room.create";
  if (isLeft(checkEventFormat(item, version))) {
    const isStripped = Object.keys(item).every((name) => strippedMembers.has(name));
    const isTaken = !version.roomIdIsCreateEvent || (isStripped && !isCreate && room.strict !== true);
    return isTaken ? undefined : "has not the format of the room's version";
  }
  if (isCreate && version.roomIdIsCreateEvent) {
    const made = roomIdOfCreate(crypto, item, version);
    const isOurs = isRight(made) && made.right === roomId && item["state_key"] === "";
    if (!isOurs) return "is not the create event of this room";
  }
  return isSigned(crypto, item, room) ? undefined : "is not signed by its sender's server";
};

const readEntry = (crypto: CryptoEngine, item: unknown, room: InvitedRoom): Either<string, StrippedEvent> => {
  const stripped = strippedFrom(item);
  if (stripped === undefined || !isJsonObject(item)) return left("is no state event");
  const fault = faultOf(crypto, item, room);
  return fault === undefined ? right(stripped) : left(fault);
};

/**
 * Checks the whole of `invite_room_state` of an invite by another server: a list of state events of this room, and signatures
 * that verify as far as keys are given. Answers with what clients may be shown of it. From room version 12 on there is one
 * create event, it is whole, and its reference hash is the room's ID; the other events are whole, or stripped where
 * `strict` is not set; anything else is refused with `InviteStateMalformed`. In earlier versions nothing is refused: what is
 * wrong is left out. Takes unchecked JSON, never throws.
 *
 * From room version 12 on a server should refuse an invite whose state fails the checks: https://spec.matrix.org/v1.19/server-server-api/#put_matrixfederationv2inviteroomideventid
 *
 * @example
 * checkInviteRoomState(nodeCrypto, body.invite_room_state, { roomId, version }); // right([{ type: "m.room.create", … }])
 */
export const checkInviteRoomState = (
  crypto: CryptoEngine,
  value: unknown,
  room: InvitedRoom,
): Either<Refusal, readonly StrippedEvent[]> => {
  const isChecked = room.version.roomIdIsCreateEvent;
  const wrong = (detail: string): Either<Refusal, never> => refuse("InviteStateMalformed", { detail });
  if (!Array.isArray(value)) return isChecked ? wrong("It is no list.") : right([]);
  const shown: StrippedEvent[] = [];
  const hasCreate = (): boolean => shown.some(({ type }) => type === "m.room.create");
  for (const [at, item] of (value as readonly unknown[]).entries()) {
    const read = readEntry(crypto, item, room);
    const fault = isLeft(read)
      ? read.left
      : read.right.type === "m.room.create" && hasCreate()
        ? "is a second create event"
        : undefined;
    if (fault !== undefined && isChecked) return wrong(`Entry ${at} ${fault}.`);
    if (fault === undefined && isRight(read)) shown.push(read.right);
  }
  return isChecked && !hasCreate() ? wrong("The room's create event is missing.") : right(shown);
};
