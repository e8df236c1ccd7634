import { type Either, flatMap, isLeft, left, map, right } from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import { decodeBase64, encodeBase64 } from "./base64.js";
import { type NotCanonicalJson, canonicalJson } from "./canonical-json.js";
import type { CryptoEngine, SigningKey } from "./crypto-engine.js";
import type { EventTemplate } from "./event.js";
import { type BadFormat, checkEventFormat } from "./event-format.js";
import { type JsonObject, member, stringMember, withoutMembers } from "./json.js";
import { redact } from "./redaction.js";
import { type RoomVersion, numbersOf } from "./room-version.js";
import { type NotSigned, signedBytes, verifyJson, withSignature } from "./signed-json.js";
import { encodeUtf8 } from "./utf8.js";

const hash = (
  crypto: CryptoEngine,
  object: JsonObject,
  version: RoomVersion,
): Either<NotCanonicalJson, Uint8Array> =>
  map((text: string) => crypto.sha256(encodeUtf8(text)))(canonicalJson(object, numbersOf(version)));

/** What a locally attached ID must not change: from version 3 on it is no part of the event. */
export const onTheWire = (pdu: JsonObject, version: RoomVersion): JsonObject =>
  version.eventId === "field" ? pdu : withoutMembers(pdu, ["event_id"]);

/**
 * The SHA-256 of all of the event but `unsigned`, `signatures` and `hashes`.
 *
 * The content hash covers the event before redaction: https://spec.matrix.org/v1.19/server-server-api/#calculating-the-content-hash-for-an-event
 */
export const contentHash = (
  crypto: CryptoEngine,
  pdu: JsonObject,
  version: RoomVersion,
): Either<NotCanonicalJson, Uint8Array> =>
  hash(crypto, withoutMembers(onTheWire(pdu, version), ["unsigned", "signatures", "hashes"]), version);

/**
 * The SHA-256 of the redacted event without its signatures.
 *
 * The reference hash covers what redaction leaves: https://spec.matrix.org/v1.19/server-server-api/#calculating-the-reference-hash-for-an-event
 */
export const referenceHash = (
  crypto: CryptoEngine,
  pdu: JsonObject,
  version: RoomVersion,
): Either<NotCanonicalJson, Uint8Array> =>
  hash(crypto, withoutMembers(redact(onTheWire(pdu, version), version), ["signatures"]), version);

/** The event has no ID: of versions 1 and 2, where it carries its own, and without one. */
export interface NoEventId {
  readonly _tag: "NoEventId";
}

/**
 * The ID of an event: its own `event_id` in versions 1 and 2, else `$` and its reference hash.
 *
 * From room version 4 on an event ID is `$` and the URL-safe base64 of the reference hash: https://spec.matrix.org/v1.19/rooms/v4/#event-ids
 *
 * @example
 * eventId(nodeCrypto, pdu, roomVersion("12")!); // right("$-xWi_CC8WsDxxYCxYdMc-XH0MoRxyAckuQLR0eSVmGI")
 */
export const eventId = (
  crypto: CryptoEngine,
  pdu: JsonObject,
  version: RoomVersion,
): Either<NotCanonicalJson | NoEventId, string> => {
  if (version.eventId === "field") {
    const own = stringMember(pdu, "event_id");
    return own === undefined ? left({ _tag: "NoEventId" }) : right(own);
  }
  const alphabet = version.eventId === "standard hash" ? "standard" : "urlsafe";
  return map((bytes: Uint8Array) => `$${encodeBase64(bytes, alphabet)}`)(referenceHash(crypto, pdu, version));
};

/**
 * The ID of the room that a create event makes: its own field, from version 12 on its event ID.
 *
 * From room version 12 on a room ID is the ID of the create event with `!` in place of `$`: https://spec.matrix.org/v1.19/rooms/v12/#event-format
 */
export const roomIdOfCreate = (
  crypto: CryptoEngine,
  create: JsonObject,
  version: RoomVersion,
): Either<NotCanonicalJson | NoEventId, string> => {
  if (version.roomIdIsCreateEvent)
    return map((id: string) => `!${id.slice(1)}`)(eventId(crypto, create, version));
  const own = stringMember(create, "room_id");
  return own === undefined ? left({ _tag: "NoEventId" }) : right(own);
};

/**
 * Whether `hashes.sha256` is the event's content hash; compared as bytes.
 *
 * An event with another content hash is redacted before it is used: https://spec.matrix.org/v1.19/server-server-api/#validating-hashes-and-signatures-on-received-events
 */
export const contentHashMatches = (crypto: CryptoEngine, pdu: JsonObject, version: RoomVersion): boolean => {
  const claimed = decodeBase64(stringMember(member(pdu, "hashes"), "sha256") ?? "");
  const actual = contentHash(crypto, pdu, version);
  return !isLeft(actual) && claimed !== undefined && encodeBase64(claimed) === encodeBase64(actual.right);
};

/** What the signatures of an event cover: its redacted form. */
export const signedBytesOfPdu = (
  pdu: JsonObject,
  version: RoomVersion,
): Either<NotCanonicalJson, Uint8Array> =>
  signedBytes(redact(onTheWire(pdu, version), version), numbersOf(version));

/**
 * Another server's signature, or one's own, over an event: on its redacted form.
 *
 * A signature of an event is checked on the redacted event: https://spec.matrix.org/v1.19/server-server-api/#validating-hashes-and-signatures-on-received-events
 */
export const verifyPdu = (
  crypto: CryptoEngine,
  pdu: JsonObject,
  version: RoomVersion,
  by: { readonly entity: string; readonly keyId: string; readonly publicKey: Uint8Array },
): Either<NotSigned, void> =>
  verifyJson(crypto, redact(onTheWire(pdu, version), version), by, numbersOf(version));

/**
 * Adds a server's signature to an event that has its content hash already, as an invited server does.
 *
 * An event is redacted before it is signed: https://spec.matrix.org/v1.19/server-server-api/#adding-hashes-and-signatures-to-outgoing-events
 */
export const signPdu = (
  pdu: JsonObject,
  version: RoomVersion,
  entity: string,
  key: SigningKey,
): Either<NotCanonicalJson, JsonObject> =>
  map((bytes: Uint8Array) => withSignature(pdu, entity, key.keyId, key.sign(bytes)))(
    signedBytesOfPdu(pdu, version),
  );

/** A signed event and its ID. */
export interface SignedPdu {
  readonly eventId: string;
  readonly pdu: JsonObject;
}

/**
 * Gives an event that is complete otherwise, such as the template of a `make_join` answer, its content hash and the
 * signature of `by.serverName`, and says its ID.
 *
 * The content hash is added before the signature: https://spec.matrix.org/v1.19/server-server-api/#adding-hashes-and-signatures-to-outgoing-events
 *
 * @example
 * hashAndSignPdu(nodeCrypto, { ...template, origin_server_ts: now }, version, { serverName: "example.org", key });
 */
export const hashAndSignPdu = (
  crypto: CryptoEngine,
  event: JsonObject,
  version: RoomVersion,
  by: { readonly serverName: string; readonly key: SigningKey },
): Either<NotCanonicalJson | NoEventId, SignedPdu> =>
  pipe(
    contentHash(crypto, event, version),
    map((bytes): JsonObject => ({ ...event, hashes: { sha256: encodeBase64(bytes) } })),
    flatMap((hashed) => signPdu(hashed, version, by.serverName, by.key)),
    flatMap((pdu) => map((id: string) => ({ eventId: id, pdu }))(eventId(crypto, pdu, version))),
  );

/** One event that another names. Versions 1 and 2 name its reference hash beside its ID. */
export interface EventReference {
  readonly eventId: string;
  readonly referenceHash: Uint8Array;
}

/** What the homeserver knows and a template does not. */
export interface PduFacts {
  readonly version: RoomVersion;
  readonly authEvents: readonly EventReference[];
  readonly prevEvents: readonly EventReference[];
  readonly depth: number;
  /** Milliseconds since 1970. */
  readonly originServerTs: number;
  /** Versions 1 and 2 only: the ID that this server chose. */
  readonly eventId?: string;
  readonly serverName: string;
  readonly key: SigningKey;
}

/** Why an event cannot be completed. */
export type NotCompleted = BadFormat | NotCanonicalJson | NoEventId;

/**
 * Completes an event into a signed PDU of its room version: content hash, then the signature of `serverName` over
 * the redacted form. For a homeserver without a builder of its own; also takes other state events, and a
 * create event of version 12, which has no `room_id`. An event that other servers would drop is not made: what comes out
 * passes `checkEventFormat`.
 *
 * The content hash is added before the signature: https://spec.matrix.org/v1.19/server-server-api/#adding-hashes-and-signatures-to-outgoing-events
 *
 * @example
 * completePdu(nodeCrypto, template, { version, authEvents, prevEvents, depth, originServerTs, serverName, key });
 */
export const completePdu = (
  crypto: CryptoEngine,
  template: EventTemplate | JsonObject,
  facts: PduFacts,
): Either<NotCompleted, SignedPdu> => {
  const { version } = facts;
  const reference = ({ eventId: id, referenceHash: bytes }: EventReference): unknown =>
    version.eventId === "field" ? [id, { sha256: encodeBase64(bytes) }] : id;
  const bare: JsonObject = {
    ...template,
    ...(version.eventId === "field" && facts.eventId !== undefined ? { event_id: facts.eventId } : {}),
    auth_events: facts.authEvents.map(reference),
    prev_events: facts.prevEvents.map(reference),
    depth: Math.min(facts.depth, version.maxDepth),
    origin_server_ts: facts.originServerTs,
  };
  return pipe(
    hashAndSignPdu(crypto, bare, version, facts),
    flatMap((made): Either<BadFormat, SignedPdu> => map(() => made)(checkEventFormat(made.pdu, version))),
  );
};

/** The reference to an event that another event names. */
export const eventReference = (
  crypto: CryptoEngine,
  pdu: JsonObject,
  version: RoomVersion,
): Either<NotCanonicalJson | NoEventId, EventReference> =>
  pipe(
    referenceHash(crypto, pdu, version),
    flatMap((bytes) =>
      map((id: string) => ({ eventId: id, referenceHash: bytes }))(eventId(crypto, pdu, version)),
    ),
  );
