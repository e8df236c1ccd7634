import type { CryptoEngine } from "../matrix/crypto-engine.js";
import { type EventLike, contentOf, isEvent } from "../matrix/event.js";
import { member } from "../matrix/json.js";
import type { RoomState } from "../matrix/room-state.js";
import { type Verdict, kindOf, walk } from "./authorize.js";
import { type ShownProof, explainProof } from "./explain-proof.js";
import { untried } from "./proof.js";
import { type AuthorizeOptions, type Means, type Rule, type RuleName, factsOf, rulesFor } from "./rules.js";
import { type Shown, shown } from "./shown.js";
import { isTooLarge } from "./signed-size.js";

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
  /** The section of the specification that has the rule. */
  readonly link?: string;
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
  const kind = kindOf(event);
  const { version } = state;
  const roomVersion = version.id;
  if (kind === undefined)
    return { verdict: { _tag: "NotOurs" }, roomVersion, steps: [ours(event, "not ours")] };

  let proof: ShownProof | undefined;
  const means: Means = {
    crypto,
    options,
    isProven: (context, signed, invite) => {
      proof = explainProof(context, signed, invite);
      const { pairs, matching } = proof;
      return untried({ isTooLarge: isTooLarge(signed), pairs }, context.maxPairs) ?? matching.length > 0;
    },
  };
  const { first, last } = rulesFor[kind];
  const facts = factsOf(event, kind, state, means);
  const { rule: decisive, verdict } = walk(rulesFor[kind], facts);

  const rules = [...first, last];
  const decidedAt = rules.indexOf(decisive);
  const outcomeOf = (rule: Rule, at: number): RuleOutcome => {
    if (at > decidedAt) return "not reached";
    if (at === decidedAt) return deciding(verdict);
    return rule.onlyAllows === true ? "did not allow" : "passed";
  };
  const steps = rules.flatMap((rule, at): readonly RuleStep[] => {
    const number = rule.number(version.rules);
    // A rule without a number is none of this version's.
    if (number === undefined) return [];
    const { name, text, link, values } = rule;
    const outcome = outcomeOf(rule, at);
    return [
      {
        name,
        rule: number,
        text: typeof text === "string" ? text : text(version),
        link: link(version),
        outcome,
        values: outcome === "not reached" ? {} : values(facts),
        ...(name === "provenMatch" && proof !== undefined ? { proof } : {}),
      },
    ];
  });
  return { verdict, roomVersion, steps: [ours(event, "passed"), ...steps] };
};
