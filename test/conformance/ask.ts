import { type Either, isLeft } from "fp-ts/lib/Either.js";
import {
  type NumberSpelling,
  type RoomState,
  type RoomVersion,
  parseStrict,
  roomState,
  roomVersion,
  selectAuthEvents,
} from "matrix-third-party-invites/judge";
import {
  canonicalJson,
  decodeBase64,
  encodeBase64,
  publicKeyBytes,
  roomIdOfCreate,
  signatureBytes,
  verifySignature,
} from "matrix-third-party-invites/matrix";
import type { CryptoEngine, JsonObject } from "matrix-third-party-invites/ports";

/** What is in a right; `null`, which the data has where something is refused, for a left. */
export const orNull = <A>(either: Either<unknown, A>): A | null => (isLeft(either) ? null : either.right);

export const base64OrNull = (either: Either<unknown, Uint8Array>): string | null =>
  isLeft(either) ? null : encodeBase64(either.right);

/** The bytes that data spells; data that spells none is no test of a decoder. */
export const bytes = (text: string): Uint8Array => {
  const decoded = decodeBase64(text);
  if (decoded === undefined) throw new Error(`no base64: ${text}`);
  return decoded;
};

export const versionOf = (id: string): RoomVersion => {
  const version = roomVersion(id);
  if (version === undefined) throw new Error(`room version ${id} is not known`);
  return version;
};

/** The canonical form of a JSON text, or `null`. */
export const canonicalText = (text: string | Uint8Array, spelling: NumberSpelling): string | null => {
  const parsed = parseStrict(text, spelling);
  return isLeft(parsed) ? null : orNull(canonicalJson(parsed.right, spelling === "any" ? "any" : "integers"));
};

/** The state that a list of events is. Of two in one place the last counts. */
export const stateOf = (
  crypto: CryptoEngine,
  version: RoomVersion,
  events: readonly JsonObject[],
  roomId: unknown,
): RoomState => {
  const create = events.findLast((event) => event["type"] === "m.room.create" && event["state_key"] === "");
  const made =
    create !== undefined && version.roomIdIsCreateEvent
      ? orNull(roomIdOfCreate(crypto, create, version))
      : null;
  return roomState(made ?? String(roomId), version, events);
};

/** Whether an event is one that the library judges: what it must answer of others is `NotOurs`. */
export const isOurs = (event: JsonObject): boolean => {
  if (event["type"] === "m.room.third_party_invite") return true;
  if (event["type"] !== "m.room.member") return false;
  const content = event["content"] as JsonObject | undefined;
  return typeof content?.["membership"] !== "string" || content["membership"] === "invite";
};

/** Places in the state, in an order of their own. */
export const sortedPlaces = (places: readonly (readonly unknown[])[]): readonly string[] =>
  places.map((place) => JSON.stringify(place)).sort();

export const selectedPlaces = (event: JsonObject, version: RoomVersion): readonly string[] =>
  sortedPlaces(selectAuthEvents(event, version).map(({ type, stateKey }) => [type, stateKey]));

/** One raw signature, through the check that comes before every engine. */
export const verifies = (
  crypto: CryptoEngine,
  key: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): boolean => {
  const [publicKey, checked] = [publicKeyBytes(key), signatureBytes(signature)];
  return (
    publicKey !== undefined && checked !== undefined && verifySignature(crypto, publicKey, message, checked)
  );
};
