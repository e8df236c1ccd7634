import type { CryptoEngine } from "../matrix/crypto-engine.js";
import { type EventLike, contentOf, isEvent } from "../matrix/event.js";
import { member } from "../matrix/json.js";
import type { RoomState } from "../matrix/room-state.js";
import { type AuthorizeOptions, type Branch, type Verdict, branchOf, walkRules } from "./authorize.js";
import { type ShownProof, explainProof } from "./explain-proof.js";
import { untried } from "./proof.js";
import { factsOf, ruleBook } from "./rule-book.js";
import { isTooLarge } from "./signed-size.js";
import { type Shown, shown } from "./shown.js";
import type { RuleName } from "./watcher.js";

/**
 * What a rule did: it refused or allowed the event, which ends the walk; it had nothing against it, or did not allow
 * it, and the next one was asked; it could not be decided within the budget; it was not come to.
 */
export type RuleOutcome =
  "passed" | "allowed" | "did not allow" | "refused" | "undecided" | "not ours" | "not reached";

/** One rule and what came of it. */
export interface RuleStep {
  readonly name: "ours" | RuleName;
  /** Its number in the text of the room's version; the first step is none of the rules, and has none. */
  readonly rule?: string;
  /** The rule in a sentence, for people. */
  readonly text: string;
  readonly outcome: RuleOutcome;
  /** What decided it, under names for people; empty where it was not reached. */
  readonly values: Readonly<Record<string, Shown>>;
  /** Where a proof was sought: what was signed, with which signatures and keys, and which go together. */
  readonly proof?: ShownProof;
}

/** Why `authorize` says what it says. Data that `JSON.stringify` can write. */
export interface Explanation {
  readonly verdict: Verdict;
  readonly roomVersion: string;
  /** Every rule for an event of this kind, in order. */
  readonly steps: readonly RuleStep[];
}

const everyEvent: readonly RuleName[] = ["room", "create", "federate"];
const everyMember: readonly RuleName[] = [...everyEvent, "memberShape", "joinAuthoriser"];

/** The rules that an event may meet; which it met, and in which order, the walk says. */
const rulesOf: Readonly<Record<Branch, readonly RuleName[]>> = {
  thirdPartyInvite: [...everyEvent, "mintedSender", "mintedPower"],
  plainInvite: [...everyMember, "plainSender", "plainTarget", "plainPower", "plainNone"],
  provenInvite: [
    ...everyMember,
    "provenTarget",
    "provenSigned",
    "provenMembers",
    "provenMxid",
    "provenToken",
    "provenSender",
    "provenMatch",
    "provenNone",
  ],
};

const allowing: ReadonlySet<RuleName> = new Set<RuleName>(["provenMatch", "plainPower"]);

const deciding = (verdict: Verdict): RuleOutcome => {
  switch (verdict._tag) {
    case "Allow":
      return "allowed";
    case "Reject":
      return "refused";
    case "TooMuchWork":
      return "undecided";
    case "NotOurs":
      return "not ours";
  }
};

/** Whether the library judges the event at all. */
const ours = (event: unknown, outcome: RuleOutcome): RuleStep => ({
  name: "ours",
  text: "An m.room.third_party_invite, or an m.room.member whose membership is invite or no text, is judged here; others are the host's.",
  outcome,
  values: isEvent(event)
    ? { type: shown(event.type), membership: shown(member(contentOf(event), "membership")) }
    : { event: shown(event) },
});

/**
 * Why {@link authorize} says what it says of an event: its verdict, and each rule for an event of this kind in the
 * order of the specification, with its number in the room's version, what came of it and the values that decided it.
 * Where a proof is sought, also the canonical text that must have been signed, each key and signature as it is
 * written, and every pair that matches. It is the same walk through the same rules, watched, so the verdict is the
 * same; the budget of pairs holds as well, but a match does not end the search for others.
 *
 * For people: texts and names of values may change. What the event holds is shown as it is, cut where it is long;
 * whoever puts it on a page must treat it as a stranger's text. Never throws.
 *
 * @example
 * const { verdict, steps } = explain(event, state, nodeCrypto);
 * for (const { rule, text, outcome, values } of steps) console.log(rule, outcome, text, values);
 */
export const explain = (
  event: EventLike,
  state: RoomState,
  crypto: CryptoEngine,
  options: AuthorizeOptions = {},
): Explanation => {
  const content = contentOf(event);
  const branch = branchOf(event, content);
  const roomVersion = state.version.id;
  if (branch === undefined)
    return { verdict: { _tag: "NotOurs" }, roomVersion, steps: [ours(event, "not ours")] };

  const reached: RuleName[] = [];
  let proof: ShownProof | undefined;
  const verdict = walkRules(branch, event, content, state, crypto, options, {
    at: (rule) => void reached.push(rule),
    isProven: (engine, version, signed, invite, maxPairs) => {
      proof = explainProof(engine, version, signed, invite, maxPairs);
      const { pairs, matching } = proof;
      return untried({ isTooLarge: isTooLarge(signed), pairs }, maxPairs) ?? matching.length > 0;
    },
  });

  const facts = factsOf(event, content, state, options);
  const step = (name: RuleName, outcome: RuleOutcome): readonly RuleStep[] => {
    const { number, text, values } = ruleBook[name];
    const rule = number(state.version.rules);
    // A rule without a number is none of this version's.
    if (rule === undefined) return [];
    return [
      {
        name,
        rule,
        text: typeof text === "string" ? text : text(state),
        outcome,
        values: outcome === "not reached" ? {} : values(facts),
        ...(name === "provenMatch" && proof !== undefined ? { proof } : {}),
      },
    ];
  };
  const last = reached.length - 1;
  const outcomeOf = (name: RuleName, at: number): RuleOutcome =>
    at === last ? deciding(verdict) : allowing.has(name) ? "did not allow" : "passed";
  return {
    verdict,
    roomVersion,
    steps: [
      ours(event, "passed"),
      ...reached.flatMap((name, at) => step(name, outcomeOf(name, at))),
      ...rulesOf[branch]
        .filter((name) => !reached.includes(name))
        .flatMap((name) => step(name, "not reached")),
    ],
  };
};
