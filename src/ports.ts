/**
 * Everything that the host injects, on one page. Ports are plain async interfaces. What belongs to the protocol is an
 * answer with a `_tag`; a rejected promise is caught and becomes a `PortFailure`. docs/ports.md has the whole contract
 * of each.
 */
import type { Cause } from "./cause.js";
import type { MailContent } from "./invite/admit-inviter.js";
import type { Profile } from "./invite/event-templates.js";
import type { IdentityServerLists } from "./invite/identity-server-name.js";
import type { AddressHash, InviteKey, InviteRecord } from "./invite/invite-life.js";
import type { RedemptionId, RedemptionRecord, TokenOfUser } from "./invite/redemption.js";
import type { Lane } from "./invite/redemption-row.js";
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
  /** `M_THREEPID_IN_USE` or `M_ALREADY_EXISTS`, with the user that the answer names, unchecked; it need not name any. */
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
  /** Those of a room, a sender, an identity server or an address, the newest first; those of one `createdAt` by key, ascending. */
  readonly list: (query: InviteQuery, options: PortOptions) => Promise<readonly Marked<InviteRecord>[]>;
}

/** Which invites, and how many of them. */
export interface InviteQuery {
  readonly by:
    | { readonly roomId: RoomId }
    | { readonly sender: UserId }
    | { readonly idServer: ServerName }
    | { readonly addressHash: AddressHash };
  /** The last one of the page before. */
  readonly after?: Pick<InviteRecord, "createdAt" | "key">;
  /** All of them where it is not given. */
  readonly limit?: number;
}

/** Rows of one lane, as an answer to {@link Redemptions.sizes} counts them. */
export interface LaneSize {
  readonly lane: Lane;
  readonly rows: number;
  readonly bytes: number;
  /** Of these, those that leave no earlier than what was asked about. */
  readonly ahead: { readonly rows: number; readonly bytes: number };
  /** The least `at` of them, in milliseconds since 1970. */
  readonly oldest: number;
}

/** What waits untried for one user. */
export interface UserLine {
  /** The least turn of all redemptions of the lane, whoever's they are. */
  readonly firstTurn: number | undefined;
  /** How many of this user's are for which server, in any order. */
  readonly waiting: readonly { readonly destination: string; readonly rows: number }[];
}

export interface ClaimQuestion {
  /** The lanes in the order in which they are looked at, each without the rows for these servers. */
  readonly lanes: readonly { readonly lane: Lane; readonly except: readonly ServerName[] }[];
  /** Rows whose `at` lies between these, both included. */
  readonly due: { readonly from: number; readonly to: number };
  /** What `at` becomes: nobody else claims the row before. */
  readonly until: number;
  readonly limit: number;
}

export type RemoveQuestion =
  /** Rows of the lane that ended earlier than this. */
  | { readonly lane: Lane; readonly endedBefore: number; readonly limit: number }
  /** What is more than these in the lanes together: by `leaving` the greatest first, and never one with 0. */
  | {
      readonly lanes: readonly Lane[];
      /** Only rows of this user count. */
      readonly mxid?: UserId;
      readonly keep: { readonly rows: number; readonly bytes: number };
    };

/**
 * The queue of redemptions. A record is stored as the row that `redemptionRow` of `./storage` makes of it; the statements look at
 * the columns of that row and at nothing else. Every operation is atomic, and durable when it answers.
 */
export interface Redemptions {
  /** Adds those whose id is new, and answers with their ids; those that exist are left as they are. All or nothing. */
  readonly put: (
    records: readonly RedemptionRecord[],
    options: PortOptions,
  ) => Promise<readonly RedemptionId[]>;
  /** What waits in one of the lanes `vouched` and `unvouched`. */
  readonly line: (
    of: { readonly lane: Lane; readonly mxid: UserId },
    options: PortOptions,
  ) => Promise<UserLine>;
  /** How much there is in each lane that has rows, of one user or of all; `ahead` counts those with `leaving` up to this. */
  readonly sizes: (
    of: { readonly lanes: readonly Lane[]; readonly mxid?: UserId; readonly leaving?: number },
    options: PortOptions,
  ) => Promise<readonly LaneSize[]>;
  /**
   * Takes up to `limit` rows: of the first lane as many as it has, by `place`, the least first, then of the next. `place`
   * is at most `due.to`. Each gets `at`, a new mark and a `place` of no more than `until`, so no two callers hold one at a
   * time, and whoever claims next finds it. It is not empty while a row is free that fits.
   */
  readonly claim: (
    question: ClaimQuestion,
    options: PortOptions,
  ) => Promise<readonly Marked<RedemptionRecord>[]>;
  /** Replaces the record under its id if its mark is still this one; else changes nothing and says `Stale`. */
  readonly replace: (record: RedemptionRecord, mark: string, options: PortOptions) => Promise<ReplaceAnswer>;
  /** The rows of a token and its user in the lanes `redeemed` and `announced`; the newest 16. */
  readonly known: (of: TokenOfUser, options: PortOptions) => Promise<readonly RedemptionRecord[]>;
  /** Rows of a lane by their id, after one of them. */
  readonly list: (
    of: { readonly lane: Lane; readonly after?: RedemptionId; readonly limit: number },
    options: PortOptions,
  ) => Promise<readonly Marked<RedemptionRecord>[]>;
  /** Removes rows; answers how many. */
  readonly remove: (which: RemoveQuestion, options: PortOptions) => Promise<number>;
  /** The least `at` of the rows that wait. */
  readonly nextDueAt: (options: PortOptions) => Promise<number | undefined>;
}

export interface TakeQuestion {
  readonly key: string;
  /** How much is taken; a negative amount is given back, 0 only looks. */
  readonly cost: number;
  readonly now: number;
  /** In which time one comes back, in milliseconds. */
  readonly intervalMs: number;
  /** How much fits. */
  readonly burst: number;
}

export interface TakeAnswer {
  readonly isTaken: boolean;
  /** When the bucket is full again, in milliseconds since 1970: what is missing now times `intervalMs` from now. */
  readonly fullAt: number;
}

/** Token buckets: how often somebody may do something. */
export interface Limits {
  /**
   * Takes from a bucket if it holds that much, in one step. `fullAt` of a bucket is at first `now`, never less than `now`,
   * and at most `now + burst * intervalMs`, whatever is stored. Taking adds `cost * intervalMs`; what would come out later
   * than `now + burst * intervalMs` is not taken, and leaves the bucket as it is. What a clock far ahead has stored is stored
   * anew within its bounds also then, else the bucket would not fill again before that time.
   */
  readonly take: (question: TakeQuestion, options: PortOptions) => Promise<TakeAnswer>;
  /** Forgets up to `limit` buckets that were full before this time; answers how many. */
  readonly forget: (
    which: { readonly fullBefore: number; readonly limit: number },
    options: PortOptions,
  ) => Promise<number>;
}

export interface ExchangeQuestion {
  readonly destination: ServerName;
  readonly roomId: RoomId;
  readonly body: JsonObject;
  /** How long the other server may take: after that, answer `Unreachable`. */
  readonly timeoutMs: number;
}

export type ExchangeAnswer =
  /** A 2xx with a JSON object. */
  | { readonly _tag: "Accepted" }
  /** Any other answer, with its status; `errcode` only where the body was JSON that has one. */
  | ({
      readonly _tag: "Refused";
      readonly errcode?: string;
      readonly retryAfterMs?: number;
    } & Omit<ForeignError, "errcode">)
  /** No answer in time, or none that is HTTP. */
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
  /** How often one user may invite by mail, and how often one address may be invited, over all rooms: 10, then one in 400 s. */
  readonly inviteLimits?: Partial<Readonly<Record<"sender" | "address", Partial<InviteLimit>>>>;
  /** How many redemptions may wait, and how many that have ended are kept. */
  readonly queue?: Partial<QueueLimits>;
  /** Whether an address may be looked up in clear where the identity server offers no hash; no. */
  readonly allowClearLookup?: boolean;
  /** Whether invites are stored with their address in clear, so that `listInvites` can show it to its inviter; no. */
  readonly storeAddresses?: boolean;
  /**
   * Whether an inbound invite is refused where its `invite_room_state` has stripped events beside the create event, in room
   * version 12 and later; no: Synapse sends them.
   */
  readonly strictInviteState?: boolean;
  /**
   * The long-term keys of identity servers in base64, by server name in any spelling: an answer to store-invite of such a
   * server that names none of them is refused. Servers that are not named here are free in their keys. Whoever can answer
   * in that server's name can add a key of their own beside the pinned one: this finds mistakes.
   */
  readonly pinnedKeys?: ReadonlyMap<string, readonly string[]>;
  /** Which identity servers users may name; all. One that may not be named is asked nothing. */
  readonly identityServers?: IdentityServerLists;
  /** How long an identity server may take to answer store-invite before its silence counts as lost; 60 s. */
  readonly askedForMs?: number;
  /** How long a redemption is tried; 14 days. */
  readonly redemptionAgeMs?: number;
  /** How long a worker may take for one redemption; 2 min. */
  readonly leaseMs?: number;
  /** How many redemptions this process works on at a time; 64, at most 4 of them for one server. */
  readonly maxInFlight?: number;
}

/** A bucket: so many invites at once, and then one in each interval. */
export interface InviteLimit {
  readonly burst: number;
  /** In milliseconds. */
  readonly intervalMs: number;
}

/** Rows, and bytes of what is stored. */
export interface QueueLimits {
  /** Vouched redemptions that may wait for one user; 10,000. */
  readonly vouchedPerUser: number;
  /** Vouched redemptions that may wait; 100,000. */
  readonly vouched: number;
  /** What they may take up; 24 MiB. */
  readonly vouchedBytes: number;
  /** Other redemptions that may wait for one user; 1,000. */
  readonly unvouchedPerUser: number;
  /** Other redemptions that may wait; 20,000. */
  readonly unvouched: number;
  /** What they may take up; 24 MiB. */
  readonly unvouchedBytes: number;
  /** Dead redemptions that are kept to be put back; 10,000. */
  readonly dead: number;
  /** What they may take up; 8 MiB. */
  readonly deadBytes: number;
  /** Redemptions that are done, and announcements, that are kept; 10,000. */
  readonly done: number;
  /** How long a token that was redeemed is remembered; a year. */
  readonly rememberMs: number;
}

export interface Ports {
  readonly config: Config;
  readonly crypto: CryptoEngine;
  readonly rooms: Rooms;
  readonly events: Events;
  readonly identityServer: IdentityServer;
  readonly invites: Invites;
  readonly redemptions: Redemptions;
  /** How often a user and an address may be invited by mail; `"off"` by choice only. */
  readonly limits: Limits | "off";
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
export type { IdentityServerLists } from "./invite/identity-server-name.js";
export type {
  AddressHash,
  Asked,
  EndedState,
  InviteKey,
  InviteLife,
  InviteRecord,
  SettledLife,
  TokenState,
} from "./invite/invite-life.js";
export type {
  DeadRedemption,
  FailureDetails,
  OwedRedemption,
  RedemptionId,
  RedemptionRecord,
  RedemptionState,
  TokenOfUser,
  WaitingRedemption,
} from "./invite/redemption.js";
export type { Lane } from "./invite/redemption-row.js";
export type { IdentityServerKey, StoredInvite, Token } from "./invite/stored-invite.js";
export type { CryptoEngine, SigningKey } from "./matrix/crypto-engine.js";
export type { EventLike, EventTemplate, StateEntry } from "./matrix/event.js";
export type { RoomId, ServerName, UserId } from "./matrix/ids.js";
export type { JsonObject } from "./matrix/json.js";
export type { CanonicalAddress, Threepid } from "./threepid/threepid.js";
export type { Cause } from "./cause.js";
export type { FailureCode, RefusalCode } from "./refusal.js";
