import type { CryptoEngine } from "../matrix/crypto-engine.js";
import { type EventLike, contentOf, isEvent } from "../matrix/event.js";
import { domainOf } from "../matrix/ids.js";
import { type JsonObject, hasMember, isJsonObject, member, stringMember } from "../matrix/json.js";
import { mayInvite } from "../matrix/power-levels.js";
import { type RoomState, membershipOf, stateEvent } from "../matrix/room-state.js";
import { type Refusal, type RefusalCode, refusal } from "../refusal.js";
import { defaultMaxPairs, isProven } from "./proof.js";
import type { Watcher } from "./watcher.js";

/**
 * What the authorisation rules say of an event. `NotOurs` is no verdict: the event is neither an
 * `m.room.third_party_invite` nor a member invite, and the host's other rules apply to it. `TooMuchWork` is none
 * either: nothing was tried, and other servers may well allow the event; judge it again with a larger budget, off
 * the main thread.
 */
export type Verdict =
  | { readonly _tag: "Allow" }
  | { readonly _tag: "Reject"; readonly refusal: Refusal }
  | { readonly _tag: "NotOurs" }
  | { readonly _tag: "TooMuchWork"; readonly pairs: number };

export interface AuthorizeOptions {
  /** How many distinct pairs of signature and key may be tried; 64 unless told otherwise. */
  readonly maxPairs?: number;
  /** The servers whose signature on the event the host has verified. Only restricted joins need it. */
  readonly verifiedSigners?: ReadonlySet<string>;
}

const allow: Verdict = { _tag: "Allow" };
const notOurs: Verdict = { _tag: "NotOurs" };

const rejectFor = (against: Refusal): Verdict => ({ _tag: "Reject", refusal: against });

const reject = (code: RefusalCode, rule: string | undefined): Verdict => rejectFor(refusal(code, { rule }));

/** Which rules apply beside those for every event. */
export type Branch = "thirdPartyInvite" | "provenInvite" | "plainInvite";

/** Member events with another membership are judged by the host; one without any is refused whatever it was to be. */
export const branchOf = (event: EventLike, content: JsonObject): Branch | undefined => {
  if (!isEvent(event)) return undefined;
  if (event.type === "m.room.third_party_invite") return "thirdPartyInvite";
  if (event.type !== "m.room.member") return undefined;
  const membership = stringMember(content, "membership");
  if (membership !== undefined && membership !== "invite") return undefined;
  // Whatever third_party_invite holds, where it stands the ordinary rules no longer apply.
  return hasMember(content, "third_party_invite") ? "provenInvite" : "plainInvite";
};

/**
 * Judges a received event of the two types that third-party invites are made of, `m.room.third_party_invite` and
 * `m.room.member` with membership `invite`, against a state: the authorisation rules of the room's version, in their
 * order, and nothing beyond them. Each rejection
 * names the rule by its number in that version. Takes any JSON for the event and its neighbours; never throws.
 *
 * Not asked here: what the event's own `auth_events` are (`checkAuthEvents`), and who must have signed it.
 *
 * @example
 * const verdict = authorize(event, state, nodeCrypto);
 * switch (verdict._tag) {
 *   case "Allow": break;
 *   case "Reject": console.warn(verdict.refusal.code, verdict.refusal.rule); break;
 *   case "NotOurs": break; // your own rules
 *   case "TooMuchWork": break; // again, later, with a larger budget
 * }
 */
export const authorize = (
  event: EventLike,
  state: RoomState,
  crypto: CryptoEngine,
  options: AuthorizeOptions = {},
): Verdict => {
  const content = contentOf(event);
  const branch = branchOf(event, content);
  return branch === undefined ? notOurs : walkRules(branch, event, content, state, crypto, options);
};

/** A sender that is no text is nobody: of no server, not in the room, no token's sender. */
export const senderOf = (event: EventLike): string => (typeof event.sender === "string" ? event.sender : "");

/** What {@link authorize} does with an event of ours, perhaps with somebody watching. */
export const walkRules = (
  branch: Branch,
  event: EventLike,
  content: JsonObject,
  state: RoomState,
  crypto: CryptoEngine,
  options: AuthorizeOptions,
  watcher?: Watcher,
): Verdict => {
  const sender = senderOf(event);

  // Version 12: the room ID names the room's create event; before, an event of another room has no business here.
  watcher?.at("room");
  if (event.room_id !== state.roomId) return reject("WrongRoom", state.version.rules.room);
  const against = againstSender(sender, state, watcher);
  if (against !== undefined) return rejectFor(against);
  if (branch !== "thirdPartyInvite")
    return authorizeMember(branch, event, content, sender, state, crypto, options, watcher);
  const againstInvite = againstThirdPartyInvite(sender, state, watcher);
  return againstInvite === undefined ? allow : rejectFor(againstInvite);
};

/** What the rules have against any event of this sender. */
export const againstSender = (sender: string, state: RoomState, watcher?: Watcher): Refusal | undefined => {
  const { rules } = state.version;

  // The room has a create event: version 12 names it by the room ID, the others in auth_events.
  watcher?.at("create");
  const create = stateEvent(state, "m.room.create");
  if (create === undefined) return refusal("NoCreateEvent", { rule: rules.create });

  // If the create event's m.federate is false and the sender is of another server than its sender, reject.
  watcher?.at("federate");
  return federates(create, sender) ? undefined : refusal("NotFederated", { rule: rules.federate });
};

/** Whether a room takes part in events of this user's server: only `false` says no. */
export const federates = (create: EventLike, userId: string): boolean =>
  member(contentOf(create), "m.federate") !== false ||
  (typeof create.sender === "string" && domainOf(create.sender) === domainOf(userId));

/** What the rules have against a third-party invite of this sender, beyond that. */
export const againstThirdPartyInvite = (
  sender: string,
  state: RoomState,
  watcher?: Watcher,
): Refusal | undefined => {
  const { rules } = state.version;

  // If the sender's current membership state is not join, reject.
  watcher?.at("mintedSender");
  if (membershipOf(state, sender) !== "join") return refusal("SenderNotJoined", { rule: rules.senderJoined });

  // Allow if and only if the sender's current power level is greater than or equal to the invite level.
  watcher?.at("mintedPower");
  return mayInvite(state, sender)
    ? undefined
    : refusal("PowerTooLow", { rule: `${rules.thirdPartyInvite}.1` });
};

const authorizeMember = (
  branch: "provenInvite" | "plainInvite",
  event: EventLike,
  content: JsonObject,
  sender: string,
  state: RoomState,
  crypto: CryptoEngine,
  options: AuthorizeOptions,
  watcher: Watcher | undefined,
): Verdict => {
  const { rules } = state.version;
  const target = event.state_key;

  // If there is no state_key property, or no membership property in content, reject.
  watcher?.at("memberShape");
  if (typeof target !== "string" || stringMember(content, "membership") === undefined)
    return reject("MemberMalformed", `${rules.member}.1`);

  // If content has a join_authorised_via_users_server key, the event must be signed by that user's server.
  watcher?.at("joinAuthoriser");
  if (state.version.restrictedJoins && hasMember(content, "join_authorised_via_users_server")) {
    const authoriser = stringMember(content, "join_authorised_via_users_server");
    const server = authoriser === undefined ? undefined : domainOf(authoriser);
    if (server === undefined || options.verifiedSigners?.has(server) !== true)
      return reject("JoinAuthoriserUnsigned", rules.joinAuthorised);
  }

  return branch === "provenInvite"
    ? authorizeProvenInvite(
        member(content, "third_party_invite"),
        target,
        sender,
        state,
        crypto,
        options,
        watcher,
      )
    : authorizePlainInvite(target, sender, state, watcher);
};

const authorizePlainInvite = (
  target: string,
  sender: string,
  state: RoomState,
  watcher: Watcher | undefined,
): Verdict => {
  const { invite } = state.version.rules;

  // If the sender's current membership state is not join, reject.
  watcher?.at("plainSender");
  if (membershipOf(state, sender) !== "join") return reject("SenderNotJoined", `${invite}.2`);

  // If target user's current membership state is join or ban, reject.
  watcher?.at("plainTarget");
  const membership = membershipOf(state, target);
  if (membership === "join") return reject("TargetJoined", `${invite}.3`);
  if (membership === "ban") return reject("TargetBanned", `${invite}.3`);

  // If the sender's power level is greater than or equal to the invite level, allow.
  watcher?.at("plainPower");
  if (mayInvite(state, sender)) return allow;

  // Otherwise, reject.
  watcher?.at("plainNone");
  return reject("PowerTooLow", `${invite}.5`);
};

const authorizeProvenInvite = (
  invite: unknown,
  target: string,
  sender: string,
  state: RoomState,
  crypto: CryptoEngine,
  options: AuthorizeOptions,
  watcher: Watcher | undefined,
): Verdict => {
  const rule = `${state.version.rules.invite}.1`;

  // If target user is banned, reject.
  watcher?.at("provenTarget");
  if (membershipOf(state, target) === "ban") return reject("TargetBanned", `${rule}.1`);

  // If content.third_party_invite does not have a signed property, reject.
  watcher?.at("provenSigned");
  const signed = member(invite, "signed");
  if (signed === undefined) return reject("NoSigned", `${rule}.2`);

  // If signed does not have mxid and token properties, reject.
  watcher?.at("provenMembers");
  if (!isJsonObject(signed) || !hasMember(signed, "mxid") || !hasMember(signed, "token"))
    return reject("NoMxidOrToken", `${rule}.3`);

  // If mxid does not match state_key, reject.
  watcher?.at("provenMxid");
  if (signed["mxid"] !== target) return reject("MxidMismatch", `${rule}.4`);

  // If there is no m.room.third_party_invite event in the current room state with state_key matching token, reject.
  watcher?.at("provenToken");
  const token = signed["token"];
  const tokenEvent =
    typeof token === "string" ? stateEvent(state, "m.room.third_party_invite", token) : undefined;
  if (tokenEvent === undefined) return reject("TokenUnknown", `${rule}.5`);

  // If sender does not match sender of the m.room.third_party_invite, reject.
  watcher?.at("provenSender");
  if (sender === "" || tokenEvent.sender !== sender) return reject("TokenSenderMismatch", `${rule}.6`);

  // If any signature in signed matches any public key in the m.room.third_party_invite event, allow.
  watcher?.at("provenMatch");
  const { maxPairs = defaultMaxPairs } = options;
  const prove = watcher?.isProven ?? isProven;
  const proven = prove(crypto, state.version, signed, contentOf(tokenEvent), maxPairs);
  if (typeof proven === "object" && proven._tag === "TooMuchWork") return proven;
  if (proven === true) return allow;

  // Otherwise, reject. What no event can hold matches nothing: servers drop an event of that size unread.
  watcher?.at("provenNone");
  return reject(proven === false ? "NotProven" : proven._tag, `${rule}.8`);
};
