import { type Either, isLeft, left, right } from "fp-ts/lib/Either.js";
import { canonicalJson } from "./canonical-json.js";
import { maxIdentifierBytes, parseRoomId, parseUserId } from "./ids.js";
import { type JsonObject, entriesOf, isJsonObject, member } from "./json.js";
import { type RoomVersion, numbersOf } from "./room-version.js";
import { utf8Length } from "./utf8.js";
import { WrittenNumber } from "./written-number.js";

/** Why an event has not the format of its room version: the field, or `event` for the whole of it. */
export interface BadFormat {
  readonly _tag: "BadFormat";
  readonly field: string;
}

/** What an event may have as canonical JSON, signatures included. */
export const maxEventBytes = 65_536;

const maxAuthEvents = 10;
const maxPrevEvents = 20;

const isShortText = (value: unknown): value is string =>
  typeof value === "string" && utf8Length(value) <= maxIdentifierBytes;

/** A whole number. Versions that do not enforce canonical JSON may have it beyond what JavaScript counts. */
const isInteger = (value: unknown, least: number, most: number): boolean => {
  if (typeof value !== "number" && !(value instanceof WrittenNumber)) return false;
  const number = Number(value);
  return Number.isInteger(number) && number >= least && number <= most;
};

/** Versions 1 to 5 count to 2^63, and do not enforce canonical JSON. */
const mostDepth = ({ strictCanonicalJson }: RoomVersion): number =>
  strictCanonicalJson ? Number.MAX_SAFE_INTEGER : 2 ** 63;

const isEventId = (value: unknown): boolean =>
  isShortText(value) && value.startsWith("$") && value.length > 1;

/** Versions 1 and 2 name an event by its ID and its hashes, of which Synapse writes none as `{}`; the others by its ID. */
const isReference = (value: unknown, version: RoomVersion): boolean => {
  if (version.eventId !== "field") return isEventId(value);
  if (!Array.isArray(value) || value.length !== 2) return false;
  const [id, hashes] = value as readonly unknown[];
  return isEventId(id) && isJsonObject(hashes);
};

const areReferences = (value: unknown, most: number, version: RoomVersion): boolean =>
  Array.isArray(value) && value.length <= most && value.every((item) => isReference(item, version));

const areSignatures = (value: unknown): boolean =>
  isJsonObject(value) &&
  entriesOf(value).every(
    ([, block]) => isJsonObject(block) && entriesOf(block).every(([, text]) => typeof text === "string"),
  );

type Check = (pdu: JsonObject, version: RoomVersion) => boolean;

const isCreate = (pdu: JsonObject): boolean => member(pdu, "type") === "m.room.create";

/** The fields of an event, each with what it must be. */
const fields: Readonly<Record<string, Check>> = {
  type: (pdu) => isShortText(member(pdu, "type")),
  sender: (pdu) => !isLeft(parseUserId(member(pdu, "sender"))),
  state_key: (pdu) => member(pdu, "state_key") === undefined || isShortText(member(pdu, "state_key")),
  room_id: (pdu, version) =>
    version.roomIdIsCreateEvent && isCreate(pdu)
      ? member(pdu, "room_id") === undefined
      : !isLeft(parseRoomId(member(pdu, "room_id"))),
  event_id: (pdu, version) => version.eventId !== "field" || isEventId(member(pdu, "event_id")),
  content: (pdu) => isJsonObject(member(pdu, "content")),
  depth: (pdu, version) => isInteger(member(pdu, "depth"), 0, mostDepth(version)),
  origin_server_ts: (pdu) =>
    isInteger(member(pdu, "origin_server_ts"), Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER),
  hashes: (pdu) => typeof member(member(pdu, "hashes"), "sha256") === "string",
  signatures: (pdu) => areSignatures(member(pdu, "signatures")),
  auth_events: (pdu, version) => areReferences(member(pdu, "auth_events"), maxAuthEvents, version),
  prev_events: (pdu, version) => areReferences(member(pdu, "prev_events"), maxPrevEvents, version),
};

/**
 * Whether a received event has the format of its room version: its fields with their types, lengths and counts, and at
 * most 65,536 bytes. The first of the checks of a received event: what fails it is dropped. Takes unchecked JSON, never
 * throws.
 *
 * A server checks first that an event is valid, and drops it otherwise: https://spec.matrix.org/v1.19/server-server-api/#checks-performed-on-receipt-of-a-pdu
 *
 * @example
 * checkEventFormat({ ...pdu, depth: "5" }, roomVersion("10")!); // left({ _tag: "BadFormat", field: "depth" })
 */
export const checkEventFormat = (pdu: JsonObject, version: RoomVersion): Either<BadFormat, void> => {
  const bad = (field: string): Either<BadFormat, never> => left({ _tag: "BadFormat", field });
  const wrong = Object.entries(fields).find(([, check]) => !check(pdu, version));
  if (wrong !== undefined) return bad(wrong[0]);
  const text = canonicalJson(pdu, numbersOf(version));
  return isLeft(text) || utf8Length(text.right) > maxEventBytes ? bad("event") : right(undefined);
};
