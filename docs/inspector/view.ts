import type { Explanation, RuleOutcome, Shown, ShownProof, RuleStep } from "matrix-third-party-invites/judge";
import { type Judgement, defaultMaxPairs } from "./case.js";
import { drawing, element } from "./elements.js";
import { sentenceLink, titleOf } from "./rules.js";

const marks: Readonly<Record<RuleOutcome, string>> = {
  passed: "M2.5 6.5 5 9l4.5-6",
  allowed: "M2.5 6.5 5 9l4.5-6",
  "did not allow": "M3 6h6",
  refused: "M3 3l6 6M9 3 3 9",
  undecided: "M6 2.5v4M6 9.2v.1",
  "not ours": "M3 6h6",
  "not reached": "",
};

const outcomeWords: Readonly<Record<RuleOutcome, string>> = {
  passed: "passed",
  allowed: "allows",
  "did not allow": "does not allow",
  refused: "refuses",
  undecided: "undecided",
  "not ours": "not judged here",
  "not reached": "not needed",
};

/** A value in words; what is no text of the event's is set apart from what could be. */
const valueNode = (value: Shown): HTMLElement => {
  const said = (text: string): HTMLElement => element("dd", {}, element("span", { class: "said" }, text));
  if (typeof value === "string") return value === "" ? said("empty text") : element("dd", {}, value);
  if (typeof value !== "object" || value === null) return element("dd", {}, String(value));
  switch (value._tag) {
    case "Absent":
      return said("absent");
    case "Object":
      return said("an object");
    case "List":
      return said("a list");
    case "NotJson":
      return said("no JSON");
    case "Number":
      return element("dd", {}, value.written);
  }
};

const finding = (text: string): HTMLElement =>
  element("span", { class: "finding", "data-finding": text }, text);

/** Which key goes with which signature; of one pair that is plain already. */
const pairsNode = (matching: ShownProof["matching"]): readonly HTMLElement[] =>
  matching.length < 2
    ? []
    : [
        element(
          "div",
          {},
          element("h3", {}, "Pairs that match"),
          element(
            "ul",
            { class: "pairs" },
            ...matching.map(({ publicKey, server, keyId }) =>
              element("li", {}, element("code", {}, publicKey), ` signed as ${server}, ${keyId}`),
            ),
          ),
        ),
      ];

const more = (count: number): readonly HTMLElement[] =>
  count === 0 ? [] : [element("li", {}, element("span", {}), `and ${count} more`)];

const written = (value: Shown): HTMLElement =>
  typeof value === "string"
    ? element("code", {}, value)
    : element("code", {}, ...valueNode(value).childNodes);

const proofNode = ({
  signed,
  keys,
  moreKeys,
  signatures,
  moreSignatures,
  pairs,
  maxPairs,
  matching,
}: ShownProof) =>
  element(
    "div",
    { class: "proof" },
    signed._tag === "Canonical"
      ? element(
          "div",
          {},
          element("h3", {}, `What must have been signed, ${signed.bytes} bytes`),
          element("pre", {}, signed.text),
        )
      : element(
          "p",
          {},
          `Nobody can have signed this: it is not JSON that can be signed (${signed.reason}).`,
        ),
    element(
      "div",
      {},
      element("h3", {}, "Keys of the third-party invite"),
      keys.length === 0
        ? element("p", {}, "None: it has been emptied.")
        : element(
            "ul",
            {},
            ...keys.map(({ place, publicKey, finding: what }) =>
              element(
                "li",
                {},
                finding(what),
                element(
                  "span",
                  {},
                  written(publicKey),
                  element("br", {}),
                  element(
                    "span",
                    { class: "place" },
                    place === "public_key" ? place : `public_keys[${place}]`,
                  ),
                ),
              ),
            ),
            ...more(moreKeys),
          ),
    ),
    element(
      "div",
      {},
      element("h3", {}, "Signatures"),
      signatures.length === 0
        ? element("p", {}, "None.")
        : element(
            "ul",
            {},
            ...signatures.map(({ server, keyId, signature, finding: what }) =>
              element(
                "li",
                {},
                finding(what),
                element(
                  "span",
                  {},
                  written(signature),
                  element("br", {}),
                  element("span", { class: "place" }, `${server}, ${keyId}`),
                ),
              ),
            ),
            ...more(moreSignatures),
          ),
    ),
    ...pairsNode(matching),
    element(
      "p",
      { class: "place" },
      `Pairs of a usable key and a usable signature: ${pairs}, of at most ${typeof maxPairs === "number" ? maxPairs : defaultMaxPairs}.`,
    ),
  );

const deciding: ReadonlySet<RuleOutcome> = new Set<RuleOutcome>([
  "allowed",
  "refused",
  "undecided",
  "not ours",
]);

const stepNode = (
  { name, rule, text, link, outcome, values, proof }: RuleStep,
  at: number,
  changed: boolean,
) => {
  const shown = Object.entries(values);
  const node = element(
    "li",
    { class: "step", id: `step-${name}`, "data-outcome": outcome, tabindex: "-1" },
    element("div", { class: "mark" }, drawing(marks[outcome])),
    element(
      "div",
      { class: "body" },
      element(
        "p",
        { class: "head" },
        element("span", { class: "title" }, titleOf(name)),
        rule === undefined || link === undefined
          ? element("span", { class: "number" }, "Kind of event")
          : element(
              "a",
              {
                class: "number",
                href: sentenceLink({ name, link }) ?? link,
                target: "_blank",
                rel: "noreferrer",
              },
              `Rule ${rule}`,
            ),
        element("span", { class: "outcome" }, outcomeWords[outcome]),
      ),
      element("p", { class: "text" }, text),
      ...(shown.length === 0
        ? []
        : [
            element(
              "dl",
              { class: "values" },
              ...shown.flatMap(([key, value]) => [element("dt", {}, key), valueNode(value)]),
            ),
          ]),
      ...(proof === undefined ? [] : [proofNode(proof)]),
    ),
  );
  node.style.setProperty("--at", String(at));
  node.classList.toggle("deciding", deciding.has(outcome));
  node.classList.toggle("changed", changed);
  return node;
};

interface Headline {
  readonly outcome: string;
  readonly word: string;
  readonly why: string;
}

const headlineOf = ({ verdict, steps, roomVersion }: Explanation): Headline => {
  const step = steps.find(({ outcome }) => deciding.has(outcome));
  const rule = `Rule ${step?.rule ?? ""} of room version ${roomVersion}`;
  switch (verdict._tag) {
    case "Allow":
      return { outcome: "allowed", word: "Allowed", why: `${rule} allows it.` };
    case "Reject":
      return { outcome: "refused", word: "Refused", why: `${rule}: ${verdict.refusal.message}` };
    case "NotOurs":
      return {
        outcome: "not ours",
        word: "Not judged here",
        why: "The event is neither a third-party invite nor a member invite.",
      };
    case "TooMuchWork":
      return {
        outcome: "undecided",
        word: "Too much work",
        why: `${rule}: there are ${verdict.pairs} pairs of a signature and a key, more than may be tried. None was tried.`,
      };
  }
};

const setText = (parent: HTMLElement, selector: string, text: string): void => {
  const found = parent.querySelector(selector);
  // A live region is read out when it changes; what stays the same must stay untouched.
  if (found !== null && found.textContent !== text) found.textContent = text;
};

const showHeadline = (verdict: HTMLElement, { outcome, word, why }: Headline): void => {
  verdict.dataset["outcome"] = outcome;
  setText(verdict, ".word", word);
  setText(verdict, ".why", why);
};

const fieldWords = {
  version: "The version:",
  state: "The state:",
  event: "The event:",
  keys: "The keys:",
} as const;

/** Shows a judgement. A new case lights up rule by rule, an edited one only shows which rules have changed. */
export const showJudgement = (
  judgement: Judgement,
  verdict: HTMLElement,
  list: HTMLElement,
  isNew: boolean,
): void => {
  if (judgement._tag === "Unreadable") {
    const why = judgement.problems.map(({ field, message }) => `${fieldWords[field]} ${message}`).join(" ");
    showHeadline(verdict, { outcome: "unreadable", word: "Not readable", why });
    list.replaceChildren();
    return;
  }
  const { explanation } = judgement;
  showHeadline(verdict, headlineOf(explanation));
  const before = new Map([...list.children].map((node) => [node.id, node.getAttribute("data-outcome")]));
  list.classList.toggle("lighting", isNew);
  list.replaceChildren(
    ...explanation.steps.map((step, at) =>
      stepNode(step, at, !isNew && before.get(`step-${step.name}`) !== step.outcome),
    ),
  );
};
