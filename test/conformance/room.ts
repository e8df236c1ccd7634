import { proveInvite } from "matrix-third-party-invites/decisions";
import { type RoomVersion, authorize } from "matrix-third-party-invites/judge";
import {
  canonicalJson,
  contentHashMatches,
  decodeBase64,
  encodeBase64,
  eventId,
  member,
  redact,
  roomIdOfCreate,
  stringMember,
  verifyPdu,
} from "matrix-third-party-invites/matrix";
import type { CryptoEngine, JsonObject } from "matrix-third-party-invites/ports";
import { isDeepStrictEqual } from "node:util";
import { isOurs, orNull, selectedPlaces, sortedPlaces, stateOf, verifies, versionOf } from "./ask.js";
import { type Answer, type Case, type Engine, has } from "./case.js";

interface Marked {
  readonly eventId: string;
  readonly pdu: JsonObject;
  readonly rejected: unknown;
}

interface ServerKeys {
  readonly server_name: string;
  readonly verify_keys?: Readonly<Record<string, { readonly key: string }>>;
  readonly old_verify_keys?: Readonly<Record<string, { readonly key: string }>>;
}

interface Capture extends JsonObject {
  readonly roomVersion: string;
  readonly roomId: string;
  readonly serverKeys: ServerKeys;
  readonly otherServer?: { readonly serverKeys?: ServerKeys };
  readonly events: readonly Marked[];
}

/** What the questions about one event are put to. */
interface Room {
  readonly version: RoomVersion;
  readonly roomId: string;
  readonly create: JsonObject | undefined;
  /** The events that an event names in `auth_events`. */
  readonly named: (pdu: JsonObject) => readonly JsonObject[];
  readonly keyOf: (server: string, keyId: string) => Uint8Array | undefined;
  readonly isRedacted: (id: string) => boolean;
}

const placeOf = (pdu: JsonObject): readonly unknown[] => [pdu["type"], pdu["state_key"]];

/** Versions 1 and 2 put a hash beside each ID. */
const idsIn = (references: unknown): readonly string[] =>
  (references as readonly (string | readonly [string])[]).map((one) =>
    typeof one === "string" ? one : one[0],
  );

const roomOf = ({ roomVersion, roomId, events, serverKeys, otherServer }: Capture): Room => {
  const byId = new Map(events.map(({ eventId: id, pdu }) => [id, pdu]));
  const keys = [serverKeys, otherServer?.serverKeys].filter((document) => document !== undefined);
  const redacted = new Set(
    events
      .filter(({ pdu }) => pdu["type"] === "m.room.redaction")
      .map(({ pdu }) => pdu["redacts"] ?? member(pdu["content"], "redacts")),
  );
  return {
    version: versionOf(roomVersion),
    roomId,
    create: events.find(({ pdu }) => pdu["type"] === "m.room.create")?.pdu,
    named: (pdu) =>
      idsIn(pdu["auth_events"]).map((id) => {
        const found = byId.get(id);
        if (found === undefined) throw new Error(`an event names ${id}, which is not there`);
        return found;
      }),
    keyOf: (server, keyId) => {
      const document = keys.find(({ server_name }) => server_name === server);
      const found = document?.verify_keys?.[keyId] ?? document?.old_verify_keys?.[keyId];
      return found === undefined ? undefined : decodeBase64(found.key);
    },
    isRedacted: (id) => redacted.has(id),
  };
};

const signaturesOf = (pdu: JsonObject): readonly (readonly [string, string])[] =>
  Object.entries(pdu["signatures"] as Readonly<Record<string, JsonObject>>).flatMap(([server, block]) =>
    Object.keys(block).map((keyId) => [server, keyId] as const),
  );

/** The event itself: its ID, its hash, who signed it, what it names and whether it is allowed. */
const eventAnswers = (
  room: Room,
  { eventId: id, pdu, rejected }: Marked,
  before: readonly Marked[],
  { crypto }: Engine,
): readonly Answer[] => {
  const { version, create } = room;
  const state = stateOf(crypto, version, [...(create ? [create] : []), ...room.named(pdu)], room.roomId);
  const stood = new Set(sortedPlaces(before.map((stored) => placeOf(stored.pdu))));
  // Of an event that was stored redacted nobody can tell what its content hashed to.
  const isBare = room.isRedacted(id) && isDeepStrictEqual(redact(pdu, version)["content"], pdu["content"]);
  const known = signaturesOf(pdu).flatMap(([entity, keyId]) => {
    const publicKey = room.keyOf(entity, keyId);
    return publicKey === undefined ? [] : [{ entity, keyId, publicKey }];
  });
  const verdict = authorize(pdu, state, crypto, {
    maxPairs: Infinity,
    verifiedSigners: new Set(known.map(({ entity }) => entity)),
  });
  const allowed = rejected === null || rejected === undefined ? "Allow" : "Reject";
  return [
    { question: "eventId", expected: id, said: orNull(eventId(crypto, pdu, version)) },
    {
      question: "contentHashMatches",
      expected: true,
      said: isBare || contentHashMatches(crypto, pdu, version),
    },
    { question: "is a signature by a known key", expected: true, said: known.length > 0 },
    ...known.map((by) => ({
      question: `verifyPdu ${by.entity} ${by.keyId}`,
      expected: true,
      said: verifyPdu(crypto, pdu, version, by)._tag === "Right",
    })),
    {
      question: "selectAuthEvents",
      expected: sortedPlaces(room.named(pdu).map(placeOf)),
      said: selectedPlaces(pdu, version).filter((place) => stood.has(place)),
    },
    { question: "authorize", expected: isOurs(pdu) ? allowed : "NotOurs", said: verdict._tag },
    ...(pdu === create
      ? [
          {
            question: "roomIdOfCreate",
            expected: room.roomId,
            said: orNull(roomIdOfCreate(crypto, pdu, version)),
          },
        ]
      : []),
  ];
};

/** Every copy of these bytes with one bit turned; with a step, only every so many. */
const flips = (bytes: Uint8Array, step: number): readonly Uint8Array[] =>
  Array.from({ length: Math.floor((bytes.length * 8) / step) }, (_, i) =>
    bytes.map((byte, at) => (at === (i * step) >> 3 ? byte ^ (1 << ((i * step) & 7)) : byte)),
  );

/** One key and one signature of a proof that go together, decoded. */
const pairOf = (
  crypto: CryptoEngine,
  keys: readonly { readonly publicKey: string }[],
  signatures: JsonObject,
  message: Uint8Array,
): readonly [Uint8Array, Uint8Array] | undefined => {
  const texts = Object.values(signatures).flatMap((block) => Object.values(block as Record<string, string>));
  for (const { publicKey } of keys)
    for (const text of texts) {
      const [key, signature] = [decodeBase64(publicKey), decodeBase64(text)];
      if (key !== undefined && signature !== undefined && verifies(crypto, key, message, signature))
        return [key, signature];
    }
  return undefined;
};

/** The proof in a member invite: it holds, and no longer once any bit of it is turned. */
const proofAnswers = (
  room: Room,
  pdu: JsonObject,
  signed: JsonObject,
  { crypto, bitStep: step }: Engine,
): readonly Answer[] => {
  const { version } = room;
  const token = room
    .named(pdu)
    .find((one) => one["type"] === "m.room.third_party_invite" && one["state_key"] === signed["token"]);
  const content = (token?.["content"] ?? {}) as JsonObject;
  const proof = proveInvite({ crypto, version, maxPairs: Infinity }, signed, content);
  const { signatures: _signatures, unsigned: _unsigned, ...covered } = signed;
  const message = Buffer.from(
    orNull(canonicalJson(covered, version.strictCanonicalJson ? "integers" : "any")) ?? "",
  );
  const holds: Answer = { question: "proveInvite", expected: "Proven", said: proof._tag };
  if (proof._tag !== "Proven") return [holds];
  const pair = pairOf(crypto, proof.keys, proof.signatures, message);
  if (pair === undefined) return [holds, { question: "verifySignature", expected: true, said: false }];
  const [key, signature] = pair;

  const proves = (by: Uint8Array, text: Uint8Array): boolean =>
    proveInvite(
      { crypto, version },
      { ...signed, signatures: { "any.example": { "ed25519:any": encodeBase64(text) } } },
      { public_key: encodeBase64(by) },
    )._tag === "Proven";
  const none = (of: string, accepted: readonly unknown[]): Answer => ({
    question: `bits of ${of} that may be turned`,
    expected: 0,
    said: accepted.length,
  });
  return [
    holds,
    { question: "one key and one signature alone", expected: true, said: proves(key, signature) },
    none(
      "signed",
      flips(message, step).filter((other) => verifies(crypto, key, other, signature)),
    ),
    none(
      "the signature",
      flips(signature, step).filter((other) => proves(key, other)),
    ),
    none(
      "the key",
      flips(key, step).filter((other) => proves(other, signature)),
    ),
  ];
};

/** A room as its server stored it: a case for each event, and one for each proof. `undefined` for what is no room. */
export const roomCases = (document: JsonObject): readonly Case[] | undefined => {
  if (!has(document, "events", "roomVersion", "roomId", "serverKeys")) return undefined;
  const capture = document as Capture;
  const room = roomOf(capture);
  return capture.events.flatMap((stored, at) => {
    const { eventId: id, pdu } = stored;
    const before = capture.events.slice(0, at);
    const signed = member(member(pdu["content"], "third_party_invite"), "signed") as JsonObject | undefined;
    const isInvite = stringMember(pdu["content"], "membership") === "invite";
    return [
      { name: id, isDecided: true, ask: (engine: Engine) => eventAnswers(room, stored, before, engine) },
      ...(isInvite && signed !== undefined
        ? [
            {
              name: `${id} proof`,
              isDecided: true,
              isEdge: true,
              ask: (engine: Engine) => proofAnswers(room, pdu, signed, engine),
            },
          ]
        : []),
    ];
  });
};
