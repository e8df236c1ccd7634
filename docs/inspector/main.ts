/** The page: what is written on the left is judged and shown on the right, at once. */
import { parseStrict, roomVersionIds } from "matrix-third-party-invites/judge";
import { isJsonObject, member, stringMember } from "matrix-third-party-invites/matrix";
import { portableCrypto } from "matrix-third-party-invites/portable";
import { type Case, type Problem, eventsIn, judge, maxTextLength } from "./case.js";
import { editor } from "./editor.js";
import { byId, element } from "./elements.js";
import { type Captured, examplesOf } from "./examples.js";
import { caseOf, fragmentOf, pairsIn } from "./link.js";
import { keyDocuments } from "./receipt.js";
import { showReceipt } from "./receipt-view.js";
import { writeJson } from "./text.js";
import { showJudgement } from "./view.js";

const rooms = JSON.parse(byId("rooms", HTMLScriptElement).text) as readonly Captured[];
const examples = examplesOf(rooms);

const example = byId("example", HTMLSelectElement);
const version = byId("version", HTMLSelectElement);
const versionProblem = byId("version-problem", HTMLElement);
const pairs = byId("pairs", HTMLInputElement);
const signers = byId("signers", HTMLInputElement);
const verdict = byId("verdict", HTMLElement);
const steps = byId("steps", HTMLElement);
const go = byId("go", HTMLButtonElement);
const note = byId("note", HTMLElement);
const keys = byId("keys", HTMLTextAreaElement);
const keysProblem = byId("keys-problem", HTMLElement);
const receipt = byId("receipt", HTMLElement);
const event = editor("event");
const state = editor("state");

const read = (): Case => ({
  version: version.value,
  state: state.text(),
  event: event.text(),
  maxPairs: pairsIn(pairs.valueAsNumber),
  signers: signers.value.split(/[\s,]+/).filter((name) => name !== ""),
  keys: keys.value,
});

const decidingStep = (): HTMLElement | null => steps.querySelector<HTMLElement>(".deciding");

const problemOf = (problems: readonly Problem[], field: Problem["field"]): Problem | undefined =>
  problems.find((one) => one.field === field);

const show = (isNew: boolean): void => {
  const judgement = judge(read(), portableCrypto);
  const problems = judgement._tag === "Unreadable" ? judgement.problems : [];
  event.complain(problemOf(problems, "event"));
  state.complain(problemOf(problems, "state"));
  const ofVersion = problemOf(problems, "version");
  versionProblem.hidden = ofVersion === undefined;
  versionProblem.textContent = ofVersion?.message ?? "";
  version.setAttribute("aria-invalid", String(ofVersion !== undefined));
  const ofKeys = problemOf(problems, "keys");
  keysProblem.hidden = ofKeys === undefined;
  keysProblem.textContent = ofKeys?.message ?? "";
  showReceipt(judgement._tag === "Judged" ? judgement.receipt : [], receipt);
  showJudgement(judgement, verdict, steps, isNew);
  go.hidden = decidingStep() === null;
};

const write = (one: Case): void => {
  version.value = one.version;
  state.write(one.state);
  event.write(one.event);
  pairs.value = String(one.maxPairs);
  signers.value = one.signers.join(" ");
  keys.value = one.keys;
  show(true);
};

/** What was written by hand is no example any more, and a link to the case before is stale. */
const edited = (): void => {
  example.value = "";
  note.textContent = "";
  show(false);
};

/** A file may hold a whole case, the events of a room, one event, or the keys of a server. */
const open = async (file: File, into: "state" | "event" | undefined): Promise<void> => {
  if (file.size > 2 * maxTextLength) {
    note.textContent = "This file is too large.";
    return;
  }
  const text = await file.text();
  const parsed = parseStrict(text, "any");
  const value = parsed._tag === "Right" ? parsed.right : undefined;
  const whole = member(value, "event");
  const events = eventsIn(value);
  if (isJsonObject(whole) && events !== undefined) {
    const named = stringMember(value, "roomVersion") ?? "";
    write({
      ...read(),
      version: roomVersionIds.includes(named) ? named : "",
      state: writeJson(events),
      event: writeJson(whole),
    });
  } else if (keyDocuments(value).length > 0) keys.value = text;
  else (into === "state" || (into === undefined && events !== undefined) ? state : event).write(text);
  edited();
  note.textContent = `Opened ${file.name}.`;
};

const copyLink = async (): Promise<void> => {
  const fragment = await fragmentOf(read());
  if (fragment === undefined) {
    note.textContent = "The case is too large for a link.";
    return;
  }
  history.replaceState(null, "", fragment);
  try {
    await navigator.clipboard.writeText(location.href);
    note.textContent = "The link is copied. It holds the whole case; whoever has it can read it.";
  } catch {
    note.textContent =
      "The link stands in the address bar. It holds the whole case; whoever has it can read it.";
  }
};

const followLink = async (): Promise<boolean> => {
  const linked = await caseOf(location.hash);
  switch (linked._tag) {
    case "Nothing":
      return false;
    case "Case":
      example.value = "";
      write(linked.case);
      note.textContent = "";
      return true;
    case "Broken":
      note.textContent = linked.message;
      return false;
  }
};

const groups = [...new Set(examples.map(({ group }) => group))];
example.append(
  element("option", { value: "", hidden: "" }, "Your own"),
  ...groups.map((group) => {
    const made = element("optgroup", { label: group });
    examples.forEach(({ name, group: of }, at) => {
      if (of === group) made.append(element("option", { value: String(at) }, name));
    });
    return made;
  }),
);
version.append(
  element("option", { value: "" }, "as created"),
  ...roomVersionIds.map((id) => element("option", { value: id }, id)),
);

const showExample = (): void => {
  const chosen = examples[Number(example.value)];
  if (chosen !== undefined) write(chosen.make());
};
example.addEventListener("change", () => {
  note.textContent = "";
  showExample();
});
event.onInput(edited);
state.onInput(edited);
for (const control of [version, pairs, signers, keys]) control.addEventListener("input", edited);
event.onDrop((file) => void open(file, "event"));
state.onDrop((file) => void open(file, "state"));
// Anywhere else on the page, the content of a file says what it is.
addEventListener("dragover", (dragged) => {
  dragged.preventDefault();
});
addEventListener("drop", (dragged) => {
  const [dropped] = dragged.dataTransfer?.files ?? [];
  if (dropped === undefined || dragged.defaultPrevented) return;
  dragged.preventDefault();
  void open(dropped, undefined);
});
go.addEventListener("click", () => {
  const step = decidingStep();
  if (step === null) return;
  step.focus({ preventScroll: true });
  // Below the verdict, which stays where it is.
  step.style.scrollMarginTop = `${verdict.offsetHeight + 24}px`;
  step.scrollIntoView();
});
byId("link", HTMLButtonElement).addEventListener("click", () => void copyLink());
const file = byId("file", HTMLInputElement);
file.addEventListener("change", () => {
  const [chosen] = file.files ?? [];
  file.value = "";
  if (chosen !== undefined) void open(chosen, undefined);
});
addEventListener("hashchange", () => void followLink());

void followLink().then((found) => {
  if (found) return;
  example.value = "0";
  showExample();
});
