/**
 * Everything that the host injects, on one page. Ports are plain async interfaces. What belongs to the protocol is an
 * answer with a `_tag`; a rejected promise is caught and becomes a `PortFailure`. docs/ports.md has the whole contract
 * of each.
 */
import type { Cause } from "./cause.js";
import type { MailContent } from "./invite/admit-inviter.js";
import type { Profile } from "./invite/event-templates.js";
import type { InviteKey, InviteRecord } from "./invite/invite-life.js";
import type { CryptoEngine } from "./matrix/crypto-engine.js";
import type { EventLike, EventTemplate, StateEntry } from "./matrix/event.js";
import type { RoomId, ServerName, UserId } from "./matrix/ids.js";
import type { JsonObject } from "./matrix/json.js";
import type { FailureCode, RefusalCode } from "./refusal.js";
import type { Threepid } from "./threepid/threepid.js";

/** What every call to a port may be given beside its question. */
export interface PortOptions {
  readonly signal?: AbortSignal | undefined;
}

/** The state of a room at one point: the entries that were asked for, its version, and what to append on top of. */
export interface Snapshot {
  readonly _tag: "Snapshot";
  readonly roomVersion: string;
  /** Opaque: given back to `events.append`, which answers `Conflict` if one of the entries has changed since. */
  readonly revision: string;
  readonly get: (type: string, stateKey: string) => EventLike | undefined;
}

/** Why this server cannot show a room's state: it is not in the room, or does not have the whole state yet. */
export type RoomUnavailable = { readonly _tag: "NotResident" } | { readonly _tag: "Incomplete" };

export type SnapshotAnswer = Snapshot | RoomUnavailable;

export type TokensAnswer = { readonly _tag: "Tokens"; readonly tokens: readonly string[] } | RoomUnavailable;

export interface Rooms {
  /** A consistent view of the named entries, all at one revision. Entries that do not exist are no error. */
  readonly snapshot: (
    roomId: RoomId,
    entries: readonly StateEntry[],
    options: PortOptions,
  ) => Promise<SnapshotAnswer>;
  /** The state keys of all `m.room.third_party_invite` in the room's state now, emptied ones too. */
  readonly tokens: (roomId: RoomId, options: PortOptions) => Promise<TokensAnswer>;
}

export interface AppendRequest {
  readonly roomId: RoomId;
  readonly revision: string;
  /** The entries that the decision read: a change of any of them since `revision` is a conflict. */
  readonly reads: readonly StateEntry[];
  readonly events: readonly EventTemplate[];
}

/**
 * An error that another server or a policy has answered. It is passed on as it is, but for what would log the client out
 * (D-79, D-115).
 */
export interface ForeignError {
  readonly status: number;
  readonly errcode: string;
  /** The `error` of its body. */
  readonly message?: string;
  /** What else its body has, such as `info_uri` or `harms`. */
  readonly members?: JsonObject;
}

export type AppendAnswer =
  | { readonly _tag: "Appended"; readonly eventIds: readonly string[] }
  | { readonly _tag: "Conflict" }
  /** The host, a policy server, or the invitee's server refused the event. */
  | ({ readonly _tag: "Refused" } & ForeignError)
  | { readonly _tag: "Unavailable"; readonly retryAfterMs?: number };

export interface Events {
  /**
   * Completes the templates, signs them as this server, appends them in their order on top of `revision`, and sends
   * them to the room's servers even where `sender` is another server's user. All or nothing.
   */
  readonly append: (request: AppendRequest, options: PortOptions) => Promise<AppendAnswer>;
}

/** What any call to an identity server can come back with instead of its answer. */
export type IdentityServerError =
  | { readonly _tag: "Unauthorized" }
  | { readonly _tag: "TermsNotSigned" }
  | { readonly _tag: "RateLimited"; readonly retryAfterMs?: number }
  /** Another error of the protocol, with the server's own errcode. Of store-invite, its status says whether a mail may be out. */
  | { readonly _tag: "Rejected"; readonly errcode: string; readonly status: number }
  /** An answer that is none of the protocol's. */
  | { readonly _tag: "Malformed" }
  /**
   * No answer. `sent: false` only where the request has surely not reached the server. `cause` is what was thrown, for
   * the host's own log.
   */
  | {
      readonly _tag: "Unreachable";
      readonly sent: boolean;
      readonly timedOut?: boolean;
      readonly cause?: unknown;
    };

/** Whom a request goes to, and the user's token there. */
export interface IdentityServerAccess {
  readonly idServer: ServerName;
  readonly accessToken: string;
}

/** The body of store-invite, ready to send. */
export interface StoreInviteRequest extends MailContent {
  readonly medium: "email";
  readonly address: string;
  readonly room_id: string;
  readonly sender: string;
}

export type HashDetailsAnswer =
  | { readonly _tag: "HashDetails"; readonly pepper: string; readonly algorithms: readonly string[] }
  | IdentityServerError;

export interface LookupRequest extends IdentityServerAccess {
  readonly algorithm: "sha256" | "none";
  readonly pepper: string;
  readonly addresses: readonly string[];
}

export type LookupAnswer =
  /** What was asked, mapped to the user who is bound to it, unchecked. */
  | { readonly _tag: "Mappings"; readonly userIds: ReadonlyMap<string, string> }
  /** The pepper was rotated. */
  | { readonly _tag: "InvalidPepper" }
  | IdentityServerError;

export type StoreInviteAnswer =
  /** The body of a success, unchecked. */
  | { readonly _tag: "Stored"; readonly answer: unknown }
  /** `M_THREEPID_IN_USE`, with the user that the answer names, unchecked. */
  | { readonly _tag: "AlreadyBound"; readonly userId: unknown }
  | IdentityServerError;

export type KeyValidityAnswer = { readonly _tag: "Validity"; readonly valid: boolean } | IdentityServerError;

export interface IdentityServer {
  /** `GET /_matrix/identity/v2/hash_details`. */
  readonly hashDetails: (access: IdentityServerAccess, options: PortOptions) => Promise<HashDetailsAnswer>;
  /** `POST /_matrix/identity/v2/lookup`. */
  readonly lookup: (request: LookupRequest, options: PortOptions) => Promise<LookupAnswer>;
  /** `POST /_matrix/identity/v2/store-invite`. It makes mail go out: it is never repeated. */
  readonly storeInvite: (
    request: IdentityServerAccess & { readonly invite: StoreInviteRequest },
    options: PortOptions,
  ) => Promise<StoreInviteAnswer>;
  /** GET the URL as it is: it holds the key exactly as the room's event writes it. */
  readonly keyValidity: (url: string, options: PortOptions) => Promise<KeyValidityAnswer>;
}

/** A stored record with the mark that its next replacement must name. */
export interface Marked<T> {
  readonly value: T;
  readonly mark: string;
}

/** What stands under a key after a `putIfAbsent`, and whether this call has put it there. */
export interface PutAnswer<T> extends Marked<T> {
  readonly isNew: boolean;
}

export type ReplaceAnswer = { readonly _tag: "Replaced"; readonly mark: string } | { readonly _tag: "Stale" };

/** The storage of invites that this server's users made. Every operation is atomic and durable when it answers. */
export interface Invites {
  /** Stores the record unless one stands under its key; answers with the one that stands there now. */
  readonly putIfAbsent: (record: InviteRecord, options: PortOptions) => Promise<PutAnswer<InviteRecord>>;
  /** Replaces the record under its key if its mark is still this one; else changes nothing and says `Stale`. */
  readonly replace: (record: InviteRecord, mark: string, options: PortOptions) => Promise<ReplaceAnswer>;
  readonly find: (key: InviteKey, options: PortOptions) => Promise<Marked<InviteRecord> | undefined>;
  /**
   * All that have this among the tokens of their life (`tokensOf`): one as a rule, more where an identity server gave a
   * token twice.
   */
  readonly findByToken: (
    roomId: RoomId,
    token: string,
    options: PortOptions,
  ) => Promise<readonly Marked<InviteRecord>[]>;
  readonly list: (roomId: RoomId, options: PortOptions) => Promise<readonly InviteRecord[]>;
}

/** The token of an invite, and who redeems it: that can happen once. */
export interface TokenOfUser {
  readonly roomId: RoomId;
  readonly token: string;
  readonly mxid: UserId;
}

/**
 * What makes a redemption one: the same proof delivered twice is owed once, and a forged one, which anybody can deliver,
 * stands beside the good one and not in its place.
 */
export interface RedemptionId extends TokenOfUser {
  /** A hash of the `signed` object and of who is said to have invited. */
  readonly proof: string;
}

/** A proof that an identity server handed over once, to be turned into an invite. */
export interface OwedRedemption extends RedemptionId {
  readonly sender: UserId;
  /** The `signed` object, as it was received. */
  readonly signed: JsonObject;
  /** Milliseconds since 1970. */
  readonly owedAt: number;
  readonly dueAt: number;
  readonly attempts: number;
}

/** A redemption that a worker holds for a while; `lease` shows that it still does. */
export interface LeasedRedemption {
  readonly redemption: OwedRedemption;
  readonly lease: string;
}

/** What stood in the way of a redemption: the code of a refusal or failure, and what whoever refused had answered. */
export interface FailureDetails {
  readonly reason: string;
  readonly status: number;
  readonly errcode: string;
}

export type Settlement =
  /** The room shows the invite by this token: nothing is owed for the token and its user any more. */
  | { readonly _tag: "Redeemed" }
  /** Another server says that the invite is made, or the user is in the room without it: this row is done, and no other. */
  | { readonly _tag: "Done" }
  | ({ readonly _tag: "Dead" } & FailureDetails)
  | ({ readonly _tag: "Again"; readonly dueAt: number } & FailureDetails);

/** The queue of redemptions owed. Rows stay when they are settled, so that nothing is redeemed twice. */
export interface Redemptions {
  /**
   * Adds the rows whose id is new, but none of a token that its user has redeemed (a row of theirs was settled as
   * `Redeemed`); those that exist are left as they are. All or nothing; durable when it answers.
   */
  readonly owe: (rows: readonly OwedRedemption[], options: PortOptions) => Promise<void>;
  /** How many wait, for one user or for one server that invited them. */
  readonly countWaiting: (
    of: { readonly mxid: UserId } | { readonly destination: ServerName },
    options: PortOptions,
  ) => Promise<number>;
  /**
   * Takes up to `limit` waiting rows that are due and under no living lease, and leases them until `until`. No two
   * callers hold one row at a time.
   */
  readonly lease: (
    request: { readonly now: number; readonly until: number; readonly limit: number },
    options: PortOptions,
  ) => Promise<readonly LeasedRedemption[]>;
  /**
   * Ends a lease with its result; `Again` counts an attempt, and makes the row due no earlier than it was postponed to. A
   * lease that somebody else has taken over, or that was settled already, changes nothing. `Redeemed` is the end of every
   * row of that token and user that waits, whoever holds it.
   */
  readonly settle: (
    id: RedemptionId,
    lease: string,
    settlement: Settlement,
    options: PortOptions,
  ) => Promise<void>;
  /**
   * The sender's own server has sent the invite, and is about to append it: the rows that wait and have this sender are
   * due at `dueAt` at the earliest. A lease is left as it is, and so is a row that is done or dead.
   */
  readonly postpone: (
    id: TokenOfUser & { readonly sender: UserId },
    dueAt: number,
    options: PortOptions,
  ) => Promise<void>;
  /** When the next waiting row is due or its lease ends, in milliseconds since 1970. */
  readonly nextDueAt: (options: PortOptions) => Promise<number | undefined>;
}

export interface ExchangeQuestion {
  readonly destination: ServerName;
  readonly roomId: RoomId;
  readonly body: JsonObject;
}

export type ExchangeAnswer =
  | { readonly _tag: "Accepted" }
  | ({ readonly _tag: "Refused" } & ForeignError)
  | { readonly _tag: "Unreachable"; readonly retryAfterMs?: number };

export interface Federation {
  /** `PUT /_matrix/federation/v1/exchange_third_party_invite/{roomId}` at `destination`, signed by this server. */
  readonly exchangeThirdPartyInvite: (
    request: ExchangeQuestion,
    options: PortOptions,
  ) => Promise<ExchangeAnswer>;
}

export interface UserQuestion {
  readonly userId: UserId;
  /** Who wants to invite this user, where somebody does: a user may block one inviter and not another. */
  readonly inviter?: UserId;
}

export type UserAnswer =
  | {
      readonly _tag: "User";
      readonly profile?: Profile;
      /** Whether this user takes no invites, or none of this inviter (`m.invite_permission_config`, ignored users). */
      readonly blocksInvites?: boolean;
    }
  | { readonly _tag: "NoSuchUser" };

export interface Users {
  /**
   * An account of this server, or what is known of another server's user. `NoSuchUser` ends a flow only where the user
   * would be this server's own.
   */
  readonly find: (question: UserQuestion, options: PortOptions) => Promise<UserAnswer>;
}

/** Whom somebody wants to invite. */
export type PolicyTarget =
  | { readonly _tag: "ByUserId"; readonly userId: UserId }
  | { readonly _tag: "ByThreepid"; readonly idServer: ServerName; readonly threepid: Threepid }
  /** The same request once the user behind the address is known: a limit counts it once. */
  | {
      readonly _tag: "ByBoundThreepid";
      readonly idServer: ServerName;
      readonly threepid: Threepid;
      readonly userId: UserId;
    };

export interface PolicyQuestion {
  readonly inviter: UserId;
  readonly roomId: RoomId;
  readonly target: PolicyTarget;
  /** Of an invite by third-party identifier. */
  readonly mail?: MailContent;
}

export type PolicyAnswer =
  { readonly _tag: "Allow" } | ({ readonly _tag: "Refuse"; readonly retryAfterMs?: number } & ForeignError);

export interface Policy {
  /**
   * May this user invite whom they name? Asked after permission and before any side effect; of an invite by
   * third-party identifier once more when the user behind it is known. Its failure is a refusal.
   */
  readonly mayInvite: (question: PolicyQuestion, options: PortOptions) => Promise<PolicyAnswer>;
}

export interface Clock {
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

export interface Random {
  /** Evenly from 0 up to, but not, 1; jitter only. */
  readonly fraction: () => number;
}

/** What the observer is told; never an address. */
export type Observation =
  | { readonly _tag: "InviteMade"; readonly roomId: RoomId; readonly sender: UserId; readonly target: UserId }
  | { readonly _tag: "InvitePending"; readonly roomId: RoomId; readonly sender: UserId }
  | { readonly _tag: "InviteRevoked"; readonly roomId: RoomId; readonly sender: UserId }
  /** By `expireInvites` and `cleanUpInvites`: events of this sender were emptied. */
  | {
      readonly _tag: "InvitesEmptied";
      readonly roomId: RoomId;
      readonly sender: UserId;
      readonly count: number;
    }
  | { readonly _tag: "Redeemed"; readonly roomId: RoomId; readonly target: UserId }
  | { readonly _tag: "RedemptionOwed"; readonly roomId: RoomId; readonly target: UserId }
  | {
      readonly _tag: "RedemptionDead";
      readonly roomId: RoomId;
      readonly target: UserId;
      readonly code: string;
    }
  | ({ readonly _tag: "Refused"; readonly code: RefusalCode } & Occasion)
  | ({
      readonly _tag: "PortFailed";
      readonly code: FailureCode;
      /** Of `PortBroken`: which call, such as `"events.append"`. */
      readonly port?: string;
      /** Where an identity server failed: which one. */
      readonly idServer?: ServerName;
      /** What the port failed with. */
      readonly cause?: Cause;
    } & Occasion);

/** Where it happened; the room and the user only where they were read as such, never as a stranger wrote them. */
export interface Occasion {
  /** The name of the exported function; absent for what a flow notes on its way. */
  readonly flow?: string;
  readonly roomId?: RoomId;
  readonly userId?: UserId;
}

/** Called synchronously; what it throws is swallowed. */
export type Observe = (observation: Observation) => void;

/** Configuration is data. */
export interface Config {
  /** The part after the `:` of this server's own users. */
  readonly serverName: string;
  /** At least 32 secret bytes, the same in every process and for ever: addresses are stored under its HMAC. */
  readonly addressKey: Uint8Array;
  /** Pairs of signature and key tried for one invite; 64. */
  readonly maxPairs?: number;
  /** Entries taken from one onbind; 5,000 (500 are seen in the wild). */
  readonly maxOnBindEntries?: number;
  /** Redemptions that may wait for one user; 10,000. One delivery always fits where nothing else waits. */
  readonly maxWaitingPerUser?: number;
  /** Redemptions that may wait for one inviting server; 100,000; the same holds. */
  readonly maxWaitingPerServer?: number;
  /** Whether an address may be looked up in clear where the identity server offers no hash; no. */
  readonly allowClearLookup?: boolean;
  /** Whether invites are stored with their address in clear, so that `listInvites` can show it to its inviter; no. */
  readonly storeAddresses?: boolean;
  /**
   * The long-term keys of identity servers in base64, by server name, as clients spell it but in lower case: an answer to
   * store-invite of such a server that names none of them is refused. Servers that are not named here are free in their
   * keys. Whoever can answer in that server's name can add a key of their own beside the pinned one: this finds mistakes.
   */
  readonly pinnedKeys?: ReadonlyMap<string, readonly string[]>;
  /** How long an identity server may take to answer store-invite before its silence counts as lost; 60 s. */
  readonly askedForMs?: number;
  /** How long a redemption is tried; 14 days. */
  readonly redemptionAgeMs?: number;
  /** How long a worker may take for one redemption; 60 s. */
  readonly leaseMs?: number;
}

export interface Ports {
  readonly config: Config;
  readonly crypto: CryptoEngine;
  readonly rooms: Rooms;
  readonly events: Events;
  readonly identityServer: IdentityServer;
  readonly invites: Invites;
  readonly redemptions: Redemptions;
  readonly federation: Federation;
  readonly users: Users;
  readonly clock: Clock;
  readonly random: Random;
  readonly policy?: Policy;
  readonly observe?: Observe;
}

// What the ports speak of, for those who write adapters.
export type { MailContent } from "./invite/admit-inviter.js";
export type { InviteDetails, Profile } from "./invite/event-templates.js";
export type {
  Asked,
  EndedState,
  InviteKey,
  InviteLife,
  InviteRecord,
  SettledLife,
  TokenState,
} from "./invite/invite-life.js";
export type { IdentityServerKey, StoredInvite, Token } from "./invite/stored-invite.js";
export type { CryptoEngine, SigningKey } from "./matrix/crypto-engine.js";
export type { EventLike, EventTemplate, StateEntry } from "./matrix/event.js";
export type { RoomId, ServerName, UserId } from "./matrix/ids.js";
export type { JsonObject } from "./matrix/json.js";
export type { CanonicalAddress, Threepid } from "./threepid/threepid.js";
export type { Cause } from "./cause.js";
export type { FailureCode, RefusalCode } from "./refusal.js";
