/**
 * What any Matrix server shares, and no word of invites: identifiers, canonical JSON, signatures, hashes, PDUs, room
 * versions, third-party identifiers.
 *
 * @module
 */
export {
  type Malformed,
  type RoomId,
  type ServerName,
  type UserId,
  domainOf,
  parseRoomId,
  parseServerName,
  parseUserId,
  serverOf,
} from "./matrix/ids.js";
export { type JsonObject, isJsonObject, member, stringMember } from "./matrix/json.js";
export { type Base64Alphabet, decodeBase64, encodeBase64 } from "./matrix/base64.js";
export { type CanonicalNumbers, type NotCanonicalJson, canonicalJson } from "./matrix/canonical-json.js";
export { type NotStrictJson, type NumberSpelling, parseStrict } from "./matrix/strict-json.js";
export type { WrittenNumber } from "./matrix/written-number.js";
export type { CryptoEngine, SigningKey } from "./matrix/crypto-engine.js";
export {
  type PublicKeyBytes,
  type SignatureBytes,
  publicKeyBytes,
  signatureBytes,
  verifySignature,
} from "./matrix/ed25519.js";
export { type NotSigned, signJson, verifyJson } from "./matrix/signed-json.js";
export { type NotCoSigned, mergeCoSigned } from "./matrix/co-signed.js";
export { type BadServerKeys, type KnownServerKeys, parseServerKeys } from "./matrix/server-keys.js";
export type { KnownKeys, ServerKey } from "./matrix/check-pdu.js";
export {
  type NotXMatrix,
  type RequestNotSigned,
  type ServerRequest,
  type XMatrix,
  parseXMatrix,
  signRequest,
  verifyRequest,
} from "./matrix/x-matrix.js";
export {
  type RedactionRules,
  type RoomVersion,
  type RuleNumbers,
  roomVersion,
  roomVersionIds,
} from "./matrix/room-version.js";
export type { EventLike, EventTemplate, StateEntry } from "./matrix/event.js";
export { type Membership, type RoomState, membershipOf, roomState } from "./matrix/room-state.js";
export { type Level, inviteLevel, mayInvite, userLevel } from "./matrix/power-levels.js";
export { type BadFormat, checkEventFormat } from "./matrix/event-format.js";
export { redact } from "./matrix/redaction.js";
export {
  type EventReference,
  type NoEventId,
  type NotCompleted,
  type PduFacts,
  type SignedPdu,
  completePdu,
  contentHash,
  contentHashMatches,
  eventId,
  eventReference,
  hashAndSignPdu,
  referenceHash,
  roomIdOfCreate,
  signPdu,
  verifyPdu,
} from "./matrix/pdu.js";
export { foldCase } from "./threepid/case-fold.js";
export { lookupHash } from "./threepid/lookup-hash.js";
export {
  type CanonicalAddress,
  type NotThreepid,
  type Threepid,
  parseThreepid,
} from "./threepid/threepid.js";
