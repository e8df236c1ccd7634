/**
 * For events that other servers made: read them, check them, judge them by the authorisation rules of their room's version,
 * and say why.
 *
 * @module
 */
export type { Refusal, RefusalCode } from "./refusal.js";
export { selectAuthEvents } from "./invite/select-auth-events.js";
export { type NamedAuthEvent, checkAuthEvents } from "./invite/check-auth-events.js";
export { type Verdict, authorize } from "./invite/authorize.js";
export type { AuthorizeOptions, RuleName } from "./invite/rules.js";
export { type Explanation, type RuleOutcome, type RuleStep, explain } from "./invite/explain.js";
export type {
  MatchingPair,
  ProofFinding,
  ShownKey,
  ShownProof,
  ShownSignature,
} from "./invite/explain-proof.js";

export type { Shown } from "./invite/shown.js";
export { defaultMaxPairs } from "./invite/proof.js";
export {
  type BadPdu,
  type CheckedPdu,
  type KeyName,
  type KnownKeys,
  type ServerKey,
  checkPdu,
  keysNeeded,
  mayHaveSigned,
} from "./matrix/check-pdu.js";
export { type InvitedRoom, type StrippedEvent, checkInviteRoomState } from "./invite/invite-room-state.js";
export { type BadFormat, checkEventFormat } from "./matrix/event-format.js";
export { requiredSigners } from "./matrix/required-signers.js";
export type { CryptoEngine } from "./matrix/crypto-engine.js";
export type { EventLike, StateEntry } from "./matrix/event.js";
export { type Membership, type RoomState, membershipOf, roomState } from "./matrix/room-state.js";
export { type RoomVersion, roomVersion, roomVersionIds } from "./matrix/room-version.js";
export { type NotStrictJson, type NumberSpelling, parseStrict } from "./matrix/strict-json.js";
