import { type Either, left } from "fp-ts/lib/Either.js";
import { type Cause, causeOf } from "./cause.js";
import { type ForeignAnswer, passedOn } from "./foreign-answer.js";
import type { ServerName } from "./matrix/ids.js";
import type { JsonObject } from "./matrix/json.js";

interface Answer {
  readonly errcode: string;
  readonly status: number;
  readonly message: string;
}

const bad = (errcode: string, message: string): Answer => ({ errcode, status: 400, message });
const forbidden = (message: string): Answer => ({ errcode: "M_FORBIDDEN", status: 403, message });

/** Every refusal: what a decision can say no with, and what the Matrix endpoint should then answer. */
const refusals = {
  // The request itself.
  BodyNotObject: bad("M_BAD_JSON", "The body must be a JSON object."),
  FieldMissing: bad("M_MISSING_PARAM", "A required field is missing:"),
  FieldMalformed: bad("M_INVALID_PARAM", "A field has the wrong type or form:"),
  BothForms: bad(
    "M_INVALID_PARAM",
    "Name the invitee by user_id or by a third-party identifier, not by both.",
  ),
  MediumUnsupported: bad("M_THREEPID_MEDIUM_NOT_SUPPORTED", "The medium must be email or msisdn."),
  MediumNotStorable: bad(
    "M_THREEPID_MEDIUM_NOT_SUPPORTED",
    "Nobody is known under this phone number, and identity servers keep invites for e-mail addresses only.",
  ),
  AddressMalformed: bad("M_INVALID_PARAM", "The address is not one of its medium:"),
  TooManyEntries: {
    errcode: "M_TOO_LARGE",
    status: 413,
    message: "The request names more invites than are taken at once.",
  },
  // 502: some identity servers deliver again after that and after nothing else.
  TooManyWaiting: {
    errcode: "M_LIMIT_EXCEEDED",
    status: 502,
    message: "Too many invites wait already; deliver them again later.",
  },
  // The requester.
  GuestForbidden: { errcode: "M_GUEST_ACCESS_FORBIDDEN", status: 403, message: "Guests may not invite." },
  RequesterSuspended: {
    errcode: "M_USER_SUSPENDED",
    status: 403,
    message: "Suspended users may not invite.",
  },
  PolicyRefused: forbidden("This server's policy does not allow this invite."),
  InviteLimit: {
    errcode: "M_LIMIT_EXCEEDED",
    status: 429,
    message: "Too many invites by this user, or of this address.",
  },
  // The room and the rules.
  RoomVersionUnknown: bad("M_UNSUPPORTED_ROOM_VERSION", "The version of this room is not known."),
  NotInRoom: { errcode: "M_NOT_FOUND", status: 404, message: "This server is not in the room." },
  WrongRoom: forbidden("The event is not of this room."),
  NoCreateEvent: forbidden("The room has no create event."),
  AuthEventTwice: forbidden("auth_events names two events of one type and state key."),
  AuthEventUnexpected: forbidden("auth_events names an event that has no say over this one."),
  AuthEventRejected: forbidden("auth_events names an event that was rejected."),
  NotFederated: forbidden("The room does not federate with the sender's server."),
  MemberMalformed: forbidden("A member event needs a state_key and a membership."),
  JoinAuthoriserUnsigned: forbidden(
    "The server of join_authorised_via_users_server has not signed the event.",
  ),
  SenderNotJoined: forbidden("The sender is not in the room."),
  PowerTooLow: forbidden("The sender's power level is below the one for inviting."),
  TargetBanned: forbidden("The invitee is banned from the room."),
  TargetJoined: forbidden("The invitee is in the room already."),
  TargetNotFederated: forbidden(
    "The room does not federate with the invitee's server: they could never join.",
  ),
  InvitesBlocked: {
    errcode: "M_INVITE_BLOCKED",
    status: 403,
    message: "The invitee does not accept invites.",
  },
  // The proof.
  NoSigned: forbidden("third_party_invite has no signed object."),
  NoMxidOrToken: forbidden("signed has no mxid or no token."),
  MxidMismatch: forbidden("signed.mxid is not the invited user."),
  TokenUnknown: forbidden("The room has no third-party invite with this token."),
  TokenSenderMismatch: forbidden("The third-party invite with this token is another sender's."),
  NotProven: forbidden("No signature in signed is by a key of the third-party invite."),
  InviteRevoked: forbidden("The third-party invite has been revoked."),
  TooManyPairs: forbidden("More signatures and keys than are tried for one invite."),
  SignedTooLarge: forbidden("The signed object is too large for an event."),
  EventTooLarge: {
    errcode: "M_TOO_LARGE",
    status: 413,
    message: "The event would be larger than a room takes.",
  },
  KeyRevoked: forbidden("The identity server no longer vouches for the key that signed."),
  // The identity server, and what it answered.
  IdentityServerNotAllowed: {
    errcode: "M_SERVER_NOT_TRUSTED",
    status: 403,
    message: "This server does not let its users name this identity server.",
  },
  TokenMalformed: {
    errcode: "M_SERVER_NOT_TRUSTED",
    status: 403,
    message: "The identity server's token is not 1 to 255 characters of 0-9, a-z, A-Z, '.', '=', '_', '-'.",
  },
  KeysMalformed: {
    errcode: "M_SERVER_NOT_TRUSTED",
    status: 403,
    message: "The identity server's answer has no list of usable Ed25519 keys with https validity URLs.",
  },
  KeyNotPinned: {
    errcode: "M_SERVER_NOT_TRUSTED",
    status: 403,
    message: "The identity server's answer has none of the keys that this server expects of it.",
  },
  TokenTaken: {
    errcode: "M_SERVER_NOT_TRUSTED",
    status: 403,
    message: "The room already has another third-party invite under the identity server's token.",
  },
  InvitedAlready: {
    errcode: "M_UNKNOWN",
    status: 409,
    message:
      "This person has been invited already: the identity server gave the token of another inviter's invite.",
  },
  // Other servers.
  OriginMismatch: forbidden("The request does not come from the server that it must come from."),
  UserNotLocal: forbidden("The user is not one of this server's."),
  UserUnknown: { errcode: "M_NOT_FOUND", status: 404, message: "This server has no such user." },
  SenderNotLocal: forbidden("The third-party invite was not made by a user of this server."),
  InviteStateMalformed: bad(
    "M_INVALID_PARAM",
    "invite_room_state is not the state of this room as its version has it.",
  ),
  ExchangeRefused: forbidden("The inviter's server refused the invite."),
  ExchangeUnclear: forbidden(
    "The inviter's server did not make the invite, for a reason that this server does not know.",
  ),
  ExchangeNotFound: {
    errcode: "M_NOT_FOUND",
    status: 404,
    message: "The inviter's server does not know the room or the invite.",
  },
  // The life of an invite.
  InviteNotFound: {
    errcode: "M_NOT_FOUND",
    status: 404,
    message: "Nobody was invited by this identifier, by this user, into this room.",
  },
  RedemptionNotFound: {
    errcode: "M_NOT_FOUND",
    status: 404,
    message: "There is no dead redemption with this id.",
  },
  AddressKeyChanged: {
    errcode: "M_UNKNOWN",
    status: 500,
    message:
      "The invites of this storage are stored under another addressKey: none of them is found with this one.",
  },
  InviteInProgress: {
    errcode: "M_LIMIT_EXCEEDED",
    status: 429,
    message: "The same invite is being made at this moment; ask again shortly.",
  },
  InviteUnknown: {
    errcode: "M_UNKNOWN",
    status: 409,
    message:
      "The identity server was asked for this invite before and its answer was lost: the mail may be out. It is asked again after a while, or at once with resend.",
  },
} as const satisfies Record<string, Answer>;

/** The stable name of a refusal. The set is open: consumers keep a `default`. */
export type RefusalCode = keyof typeof refusals;

/** A no with its reason. It never holds an address. */
export interface Refusal {
  readonly _tag: "Refusal";
  readonly code: RefusalCode;
  /** A sentence for people. */
  readonly message: string;
  /** The number of the authorisation rule in the text of the room's version, where a rule refused. */
  readonly rule?: string;
  /** What the Matrix endpoint should answer: its errcode and HTTP status. */
  readonly errcode: string;
  readonly status: number;
  readonly retryAfterMs?: number;
  /** What else the body of the error has: of another server's or the policy's error, or what Matrix requires. */
  readonly members?: JsonObject;
}

interface Details {
  readonly rule?: string | undefined;
  /** What completes the sentence, such as the names of the fields that are missing. Never a value of theirs. */
  readonly detail?: string;
  readonly answer?: ForeignAnswer;
  readonly retryAfterMs?: number | undefined;
}

/** Nobody is told to wait for more than a day, and what is no finite number is not told. */
const longestWaitMs = 24 * 3_600_000;

const toldWait = (retryAfterMs: number | undefined): { readonly retryAfterMs?: number } =>
  retryAfterMs !== undefined && Number.isFinite(retryAfterMs) && retryAfterMs >= 0
    ? { retryAfterMs: Math.min(retryAfterMs, longestWaitMs) }
    : {};

export const refusal = (code: RefusalCode, details: Details = {}): Refusal => {
  const { message, errcode, status } = refusals[code];
  return {
    _tag: "Refusal",
    code,
    message: details.detail === undefined ? message : `${message} ${details.detail}`,
    errcode,
    status,
    ...(details.answer === undefined ? {} : passedOn(details.answer)),
    ...(details.rule === undefined ? {} : { rule: details.rule }),
    ...toldWait(details.retryAfterMs),
  };
};

export const refuse = (code: RefusalCode, details?: Details): Either<Refusal, never> =>
  left(refusal(code, details));

/** A field, named by its path, that has the wrong type or form. */
export const malformedField = (field: string): Either<Refusal, never> =>
  refuse("FieldMalformed", { detail: field });

const dependency = (errcode: string, message: string): Answer => ({ errcode, status: 424, message });
const internal = (message: string): Answer => ({ errcode: "M_UNKNOWN", status: 500, message });
const later = (message: string): Answer => ({ errcode: "M_UNKNOWN", status: 503, message });

/** What follows the name of the port. */
const breach = "rejected its promise or answered what its contract does not allow.";

/**
 * Every failure of a port. Where the identity server failed, the status is 424: it was chosen by a client, and no
 * stranger may make this server look ill to its load balancer (docs/decisions.md, D-7).
 */
const failures = {
  PortBroken: internal(`A port ${breach}`),
  RoomIncomplete: later("The state of the room is not complete yet."),
  AppendRefused: forbidden("The event was refused when it was to be appended."),
  AppendUnavailable: later("The event could not be appended now."),
  AppendContended: later("The room changed each time the event was to be appended."),
  IdentityServerUnauthorized: {
    errcode: "M_UNAUTHORIZED",
    status: 403,
    message: "The identity server does not accept id_access_token.",
  },
  IdentityServerTerms: {
    errcode: "M_TERMS_NOT_SIGNED",
    status: 403,
    message: "The identity server wants its terms of service accepted first.",
  },
  IdentityServerLimit: {
    errcode: "M_LIMIT_EXCEEDED",
    status: 429,
    message: "The identity server has had too many requests.",
  },
  IdentityServerRefused: dependency("M_BAD_STATUS", "The identity server refused the request."),
  IdentityServerMalformed: dependency("M_BAD_STATUS", "The identity server's answer was not understood."),
  IdentityServerUnreachable: dependency("M_CONNECTION_FAILED", "The identity server cannot be reached."),
  IdentityServerTimeout: dependency("M_CONNECTION_TIMEOUT", "The identity server did not answer in time."),
  LookupAlgorithm: dependency(
    "M_BAD_STATUS",
    "The identity server offers no lookup algorithm that is allowed.",
  ),
  PepperRotating: dependency("M_BAD_STATUS", "The identity server rejects each pepper that it gives."),
  // No 5xx, since the URL is a stranger's: after one, some servers ask this whole server nothing more for a while (D-101).
  KeyValidityUnknown: dependency(
    "M_CONNECTION_FAILED",
    "The validity of the key that signed cannot be learnt now.",
  ),
  ExchangeUnreachable: later("The inviter's server cannot make the invite now."),
  ServerBackedOff: later("The inviter's server did not answer as a homeserver does, and is not asked now."),
  Cancelled: { errcode: "M_UNKNOWN", status: 499, message: "The request was cancelled." },
} as const satisfies Record<string, Answer>;

/** The stable name of a failure. The set is open: consumers keep a `default`. */
export type FailureCode = keyof typeof failures;

/** Every code with what it answers, for the page that lists them. */
export const answers: Readonly<Record<"refusals" | "failures", Readonly<Record<string, Answer>>>> = {
  refusals,
  failures,
};

/** A port did not do its part. Nothing is lost: what was stored stays, and the same command may be given again. */
export interface PortFailure {
  readonly _tag: "PortFailure";
  readonly code: FailureCode;
  readonly message: string;
  readonly errcode: string;
  readonly status: number;
  readonly retryAfterMs?: number;
  /** As in a {@link Refusal}. */
  readonly members?: JsonObject;
  /** Of `PortBroken`: which call, such as `"events.append"`. */
  readonly port?: string;
  /** Where an identity server failed: which one. */
  readonly idServer?: ServerName;
  /** What the port rejected with, or why it reached nobody, for the host's own log. Never sent to anybody. */
  readonly cause?: Cause;
}

export const failure = (
  code: FailureCode,
  details: {
    readonly answer?: ForeignAnswer;
    /** In place of the code's own sentence. */
    readonly message?: string;
    readonly retryAfterMs?: number | undefined;
    readonly idServer?: ServerName | undefined;
    readonly cause?: unknown;
  } = {},
): PortFailure => ({
  _tag: "PortFailure",
  code,
  ...failures[code],
  ...(details.message === undefined ? {} : { message: details.message }),
  ...(details.answer === undefined ? {} : passedOn(details.answer)),
  ...toldWait(details.retryAfterMs),
  ...(details.idServer === undefined ? {} : { idServer: details.idServer }),
  // The only way into a failure: nothing of a driver's error passes but its texts.
  ...(details.cause === undefined ? {} : { cause: causeOf(details.cause) }),
});

/** A call to a port that has no usable answer. */
export const portBroken = (port: string, cause?: unknown): PortFailure => ({
  ...failure("PortBroken", { message: `${port} ${breach}`, cause }),
  port,
});

/**
 * What a Matrix endpoint answers for a refusal or a failure: the status, and the standard error body.
 *
 * @example
 * const { status, body } = matrixError(result.left); // 403, { errcode: "M_FORBIDDEN", error: "…" }
 */
export const matrixError = ({
  status,
  errcode,
  message,
  retryAfterMs,
  members,
}: Refusal | PortFailure): {
  readonly status: number;
  readonly body: JsonObject & {
    readonly errcode: string;
    readonly error: string;
    readonly retry_after_ms?: number;
  };
} => ({
  status,
  body: {
    ...members,
    errcode,
    error: message,
    ...(retryAfterMs === undefined ? {} : { retry_after_ms: retryAfterMs }),
  },
});
