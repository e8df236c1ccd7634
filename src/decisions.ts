/**
 * The pure core: each decision as a value that says which state entries it reads and what it decides on them. A decision is
 * made with `applyDecision` on a state, a command and an engine; it answers with the events to append, and touches nothing.
 *
 * @module
 */
export type { Refusal, RefusalCode } from "./refusal.js";
export {
  type Decision,
  type DecisionContext,
  type DecisionOutcome,
  applyDecision,
} from "./invite/decision.js";

// An invite by a client.
export { type Admitted, type MailContent, admitInviter } from "./invite/admit-inviter.js";
export { type Requester } from "./invite/admit.js";
export { type InviteDetails, type Profile } from "./invite/event-templates.js";
export { type InviteUserCommand, type InviteUserOutcome, inviteUser } from "./invite/invite-user.js";
export {
  type InviteThreepidCommand,
  type InviteThreepidOutcome,
  inviteThreepid,
} from "./invite/invite-threepid.js";
export {
  type Addressee,
  type InviteRequest,
  type ThreepidInvite,
  type UserInvite,
  parseAddressee,
  parseInviteRequest,
  parseThreepidInvite,
} from "./invite/parse-invite-request.js";
export {
  type IdentityServerKey,
  type StoredInvite,
  type Token,
  parseStoredInvite,
} from "./invite/stored-invite.js";

// A proof of ownership.
export { type Delivery, type OnBind, type RefusedEntry, checkOnBind } from "./invite/onbind.js";
export { type RedeemCommand, type RedeemOutcome, redeem } from "./invite/redeem.js";
export { type ExchangeRequest, checkExchange, exchange, exchangeBody } from "./invite/exchange.js";
export { type MatchedKey, type Proof, type ProofContext, isRevoked, proveInvite } from "./invite/proof.js";
export { type Validity, validityRequestUrl } from "./invite/key-validity.js";
export { type Signed, parseSigned } from "./invite/signed.js";
export {
  type ThirdPartySignedOutcome,
  checkThirdPartySigned,
  parseThirdPartySigned,
} from "./invite/third-party-signed.js";
export { type InboundInvite, type InboundRequest, checkInboundInvite } from "./invite/inbound-invite.js";
export { inviteRoomState, inviteStateEntries } from "./invite/invite-room-state.js";
export {
  type FirstJoinCommand,
  type FirstJoinOutcome,
  type FirstJoinTokenOutcome,
  firstJoin,
  firstJoinToken,
} from "./invite/first-join.js";

// The end of an invite.
export {
  type RevokeInviteOutcome,
  type RevokeOutcome,
  revoke,
  revokeOwn,
  revokeRecord,
} from "./invite/revoke.js";
export { type Tidying, type Untidy, emptyUntidy } from "./invite/leftover.js";
export { type RoomInvite, roomInvites } from "./invite/room-invite.js";
export { type ListedInvite } from "./invite/listing.js";
export {
  type Asked,
  type EndedState,
  type InviteKey,
  type InviteLife,
  type InviteRecord,
  type SettledLife,
  type TokenState,
  type Transition,
  type AddressHash,
  addressHash,
  advance,
  inviteKey,
  tokensOf,
} from "./invite/invite-life.js";

// The queue of redemptions.
export {
  type RedemptionId,
  type RedemptionRecord,
  type RedemptionState,
  type RedemptionTransition,
  type TokenOfUser,
  advanceRedemption,
  redemptionId,
} from "./invite/redemption.js";
export { type Line, type Place, placesInLine } from "./invite/redemption-line.js";
export { type ExchangeRefusal, type ExchangeVerdict, exchangeVerdict } from "./invite/exchange-answer.js";
export { isVouched } from "./invite/vouched.js";
