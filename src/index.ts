/**
 * Third-party invites for Matrix homeservers.
 *
 * - To run the life of an invite over your own storage, state and HTTP, give {@link Ports} to the flows:
 *   `invite` (or `inviteByThreePid`, `inviteByUserId`, `inviteAll`), `receiveOnBind`, `deliverOwed`, `receiveExchange`, `receiveInboundInvite`,
 *   `redeemThirdPartySigned`, `firstJoinChecks`, `revokeInvite`, `listInvites`, `expireInvites`, `cleanUpInvites`, `noteRedeemed`,
 *   `invitesLeftBehind`.
 * - To judge events that other servers made: `parseStrict`, `checkPdu`, `authorize`, `explain`, `selectAuthEvents`, `checkAuthEvents`.
 * - To decide by yourself: `parseInviteRequest`, `admit`, `decide`, `redeem`, `checkOnBind`, `checkExchange`, `revoke`.
 *
 * Nothing here opens a socket, reads a clock or rolls a die, and nothing throws, whatever JSON it is given.
 *
 * @module
 */
export {
  type FailureCode,
  type PortFailure,
  type Refusal,
  type RefusalCode,
  matrixError,
} from "./refusal.js";

export {
  type Malformed,
  type RoomId,
  type ServerName,
  type UserId,
  parseRoomId,
  parseServerName,
  parseUserId,
  domainOf,
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
export { redact } from "./matrix/redaction.js";
export { requiredSigners } from "./matrix/required-signers.js";
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
export {
  type EventReference,
  type NoEventId,
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

export { type Requester, admit } from "./invite/admit.js";
export { selectAuthEvents } from "./invite/auth-events.js";
export { type NamedAuthEvent, checkAuthEvents } from "./invite/check-auth-events.js";
export { type Verdict, authorize } from "./invite/authorize.js";
export {
  type InviteDetails,
  type InviteOutcome,
  type Invitee,
  type Profile,
  decide,
} from "./invite/decide.js";
export { type Explanation, type RuleOutcome, type RuleStep, explain } from "./invite/explain.js";
export type {
  MatchingPair,
  ProofFinding,
  ShownKey,
  ShownProof,
  ShownSignature,
} from "./invite/explain-proof.js";
export type { AuthorizeOptions, RuleName } from "./invite/rules.js";
export type { Shown } from "./invite/shown.js";
export { type ExchangeRequest, checkExchange, decideExchange, exchangeBody } from "./invite/exchange.js";
export { type FirstJoin, firstJoin } from "./invite/first-join.js";
export {
  type Addressee,
  type InviteRequest,
  type ThreepidInvite,
  type UserInvite,
  parseAddressee,
  parseInviteRequest,
  parseThreepidInvite,
} from "./invite/form.js";
export { type InboundInvite, checkInboundInvite } from "./invite/inbound-invite.js";
export { type Validity, validityRequestUrl } from "./invite/key-validity.js";
export {
  type Asked,
  type EndedState,
  type Happening,
  type InviteKey,
  type InviteLife,
  type InviteRecord,
  type MintedState,
  type SettledLife,
  advance,
  inviteKey,
  tokensOf,
} from "./invite/life.js";
export { type ListedInvite } from "./invite/listing.js";
export { type MintedInvite, type MintedKey, type Token, parseMintedInvite } from "./invite/minted.js";
export { type Delivery, type OnBind, type RefusedEntry, checkOnBind } from "./invite/onbind.js";
export { type MatchedKey, type Proof, defaultMaxPairs, isRevoked, proveInvite } from "./invite/proof.js";
export { type RedeemOutcome, redeem } from "./invite/redeem.js";
export { type RevokeOutcome, revoke } from "./invite/revoke.js";
export { type Signed, parseSigned } from "./invite/signed.js";

export type * from "./ports.js";

export type { RequesterCommand } from "./flows/command.js";
export type { Committed } from "./flows/commit.js";
export type { FlowOptions, FlowResult, Problem } from "./flows/run.js";
export { type Delivered, type DeliverOwedPorts, deliverOwed } from "./flows/deliver-owed.js";
export {
  type FirstJoinChecks,
  type FirstJoinChecksPorts,
  firstJoinChecks,
} from "./flows/first-join-checks.js";
export { type Invite, invite } from "./flows/invite.js";
export { type InviteAll, inviteAll } from "./flows/invite-all.js";
export {
  type InviteByThreePid,
  type InviteByThreePidPorts,
  inviteByThreePid,
} from "./flows/invite-by-three-pid.js";
export { type InviteByUserId, type InviteByUserIdPorts, inviteByUserId } from "./flows/invite-by-user-id.js";
export {
  type ReceiveExchange,
  type ReceiveExchangePorts,
  receiveExchange,
} from "./flows/receive-exchange.js";
export {
  type ReceiveInboundInvite,
  type ReceiveInboundInvitePorts,
  receiveInboundInvite,
} from "./flows/receive-inbound-invite.js";
export { type OnBindOutcome, type ReceiveOnBindPorts, receiveOnBind } from "./flows/receive-on-bind.js";
export type { Redeemed, RedeemPorts } from "./flows/redeem-delivery.js";
export {
  type ReadyToJoin,
  type RedeemThirdPartySigned,
  redeemThirdPartySigned,
} from "./flows/redeem-third-party-signed.js";
export {
  type Revocation,
  type RevokeInvite,
  type RevokeInvitePorts,
  revokeInvite,
} from "./flows/revoke-invite.js";
export { type ListInvitesPorts, invitesLeftBehind, listInvites } from "./flows/list-invites.js";
export { type NoteRedeemedPorts, noteRedeemed } from "./flows/note-redeemed.js";
export { cleanUpInvites } from "./flows/clean-up-invites.js";
export { type ExpireInvites, expireInvites } from "./flows/expire-invites.js";
export type { Tidied, TidyInvitesPorts, UntidyInvite } from "./flows/tidy.js";
export type { Untidy } from "./invite/tidy.js";
