/**
 * Third-party invites for Matrix homeservers. `createThirdPartyInvites` takes the ports of your homeserver and gives an
 * object with a method for each step in the life of an invite.
 *
 * The other entry points: `./ports` (the types of what you inject), `./judge` (received events), `./decisions` (the pure
 * core), `./matrix` (identifiers, canonical JSON, signatures, PDUs), `./http`, `./node`, `./portable`, `./libsodium`, `./storage`, `./postgres`,
 * `./sqlite`, `./testing`.
 *
 * @module
 */
export { type PortsOf, createThirdPartyInvites } from "./create-third-party-invites.js";
export type { OperatorCalls } from "./operator-calls.js";
export type { FlowName, ThirdPartyInvites } from "./third-party-invites.js";
export type { Cause } from "./cause.js";
export {
  type FailureCode,
  type PortFailure,
  type Refusal,
  type RefusalCode,
  matrixError,
} from "./refusal.js";
export type { Config, Ports } from "./ports.js";
export type { FlowOptions, FlowResult, Problem } from "./flows/steps/step.js";

// Commands: what a method is given. With those of an operator come their answers.
export type { InviteLimitChecked } from "./flows/check-invite-limit.js";
export type { FirstJoinCommand } from "./flows/check-first-join.js";
export type { DeliverOwedCommand } from "./flows/deliver-owed.js";
export type { ExpireInvitesCommand } from "./flows/expire-invites.js";
export type { FindInvitesCommand, FoundInvite, FoundInvites } from "./flows/find-invites.js";
export type { InviteAllCommand } from "./flows/invite-all.js";
export type { InviteCommand } from "./flows/invite.js";
export type { ListInvitesCommand } from "./flows/list-invites.js";
export type { NoteRedeemedCommand } from "./flows/note-redeemed.js";
export type { ListedRedemption, ListRedemptionsCommand, QueueSize } from "./flows/owed-redemptions.js";
export type { ExchangeCommand } from "./flows/receive-exchange.js";
export type { InboundInviteCommand } from "./flows/receive-inbound-invite.js";
export type { OnBindCommand } from "./flows/receive-on-bind.js";
export type { ThirdPartySignedCommand } from "./flows/redeem-third-party-signed.js";
export type { RevokedInvites } from "./flows/revoke-all-invites.js";
export type { RevokeInviteCommand } from "./flows/revoke-invite.js";
export type { AddressCommand, FindBy } from "./flows/steps/find-by.js";
export type { RequesterCommand } from "./flows/steps/read-command.js";

// Outcomes: what it answers with.
export type { FirstJoinChecked } from "./flows/check-first-join.js";
export type { Delivered } from "./flows/steps/delivered.js";
export type { InviteResult } from "./flows/invite-all.js";
export type { OnBindOutcome } from "./flows/receive-on-bind.js";
export type { ReadyToJoin } from "./flows/redeem-third-party-signed.js";
export type { Committed } from "./flows/steps/decide.js";
export type { InviteOutcome } from "./flows/steps/invite-address.js";
export type { Redeemed } from "./flows/steps/redeem-delivery.js";
export type { Tidied, UntidyInvite } from "./flows/steps/tidy-room.js";
export type { InviteDetails } from "./invite/event-templates.js";
export type { InboundInvite } from "./invite/inbound-invite.js";
export type { InviteThreepidOutcome } from "./invite/invite-threepid.js";
export type { InviteUserOutcome } from "./invite/invite-user.js";
export type { Untidy } from "./invite/leftover.js";
export type { ListedInvite } from "./invite/listing.js";
export type { RefusedEntry } from "./invite/onbind.js";
export type { RedeemOutcome } from "./invite/redeem.js";
export type { RevokeInviteOutcome, RevokeOutcome } from "./invite/revoke.js";
export type { EventLike, EventTemplate } from "./matrix/event.js";
