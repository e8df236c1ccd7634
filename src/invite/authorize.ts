import type { CryptoEngine } from "../matrix/crypto-engine.js";
import { type EventLike, contentOf, isEvent } from "../matrix/event.js";
import { hasMember, stringMember } from "../matrix/json.js";
import type { RoomState } from "../matrix/room-state.js";
import { type Refusal, refusal } from "../refusal.js";
import { isProven } from "./proof.js";
import {
  type AuthorizeOptions,
  type Ruling,
  type Facts,
  type Kind,
  type Rule,
  type Rules,
  factsOf,
  rulesFor,
} from "./rules.js";

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

const allow: Verdict = { _tag: "Allow" };
const notOurs: Verdict = { _tag: "NotOurs" };

/**
 * Which rules are for this event; `undefined` where it is not judged here. Member events with another membership are
 * judged by the host; one without any is refused whatever it was to be.
 */
export const kindOf = (event: EventLike): Kind | undefined => {
  if (!isEvent(event)) return undefined;
  if (event.type === "m.room.third_party_invite") return "thirdPartyInvite";
  if (event.type !== "m.room.member") return undefined;
  const content = contentOf(event);
  const membership = stringMember(content, "membership");
  if (membership !== undefined && membership !== "invite") return undefined;
  // Whatever third_party_invite holds, where it stands the ordinary rules no longer apply.
  return hasMember(content, "third_party_invite") ? "provenInvite" : "plainInvite";
};

const verdictOf = (ruling: Ruling, { number }: Rule, { state }: Facts): Verdict => {
  if (ruling === "allow") return allow;
  if (typeof ruling === "object") return { _tag: "TooMuchWork", pairs: ruling.pairs };
  return { _tag: "Reject", refusal: refusal(ruling, { rule: number(state.version.rules) }) };
};

/** Asks the rules in their order until one decides. */
export const walk = (
  { first, last }: Rules,
  facts: Facts,
): { readonly rule: Rule; readonly verdict: Verdict } => {
  for (const rule of first) {
    const ruling = rule.check(facts);
    if (ruling !== undefined) return { rule, verdict: verdictOf(ruling, rule, facts) };
  }
  return { rule: last, verdict: verdictOf(last.check(facts), last, facts) };
};

/**
 * Judges a received event of the two types that third-party invites are made of, `m.room.third_party_invite` and
 * `m.room.member` with membership `invite`, against a state: the authorisation rules of the room's version, in their
 * order, and nothing beyond them. Each rejection
 * names the rule by its number in that version. Takes any JSON for the event and its neighbours; never throws.
 *
 * Not asked here: what the event's own `auth_events` are (`checkAuthEvents`), and who must have signed it.
 *
 * The rules of version 12: https://spec.matrix.org/v1.19/rooms/v12/#authorisation-rules
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
  const kind = kindOf(event);
  return kind === undefined
    ? notOurs
    : walk(rulesFor[kind], factsOf(event, kind, state, { crypto, options, isProven })).verdict;
};
