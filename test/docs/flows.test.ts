import { type OperatorCalls, createThirdPartyInvites } from "matrix-third-party-invites";
import { describe, expect, it } from "vitest";
import { openWorld } from "../flows/ports.js";
import { type Message, parseSequence } from "./flows-mermaid.js";
import { diagramsOf, read } from "./flows-page.js";
import { type Drawn, outcomeOf, record } from "./flows-record.js";
import { type Run, runs } from "./flows-runs.js";

const diagrams = diagramsOf(read("docs/explanation/flows.md"));

const sequenceUnder = (heading: string) => parseSequence(diagrams.get(heading) ?? "");

/** A message to a port, with the port's answer if one is drawn. */
interface Call {
  readonly port: string;
  readonly text: string;
  readonly answer?: string;
}

/** The messages between the flow and its ports; an answer stands right under its question, and comes from whom it went to. */
const callsIn = (messages: readonly Message[]): readonly Call[] =>
  messages.flatMap(({ from, to, text, isAnswer }, at) => {
    if (isAnswer) {
      const question = messages[at - 1];
      const belongs = question?.isAnswer === false && question.to === from && question.from === to;
      return belongs ? [] : [{ port: from, text: `an answer without its question: ${text}` }];
    }
    const next = messages[at + 1];
    return [{ port: to, text, ...(next?.isAnswer === true ? { answer: next.text } : {}) }];
  });

/** What was called, with the answers that the page draws. */
const callsMade = (drawn: readonly Drawn[], shown: readonly Call[]): readonly Call[] =>
  drawn.map(({ port, text, answer }, at) => ({
    port,
    text,
    ...(shown[at]?.answer === undefined ? {} : { answer: answer ?? "" }),
  }));

const play = async (run: Run) => {
  const world = openWorld(run.options);
  await run.before?.(world);
  const { ports, drawn } = record(world);
  const result = await run.call(createThirdPartyInvites(ports));
  return { drawn, outcome: outcomeOf(result) };
};

it("each diagram of the page has a run, and each run a diagram", () => {
  expect([...diagrams.keys()]).toEqual(Object.keys(runs));
});

/** These read the storage page by page. */
const ofOperators: ReadonlySet<string> = new Set<keyof OperatorCalls>([
  "findInvites",
  "revokeAllInvites",
  "isInvited",
  "eraseAddress",
  "listRedemptions",
  "retryRedemption",
  "measureQueue",
  "checkAddressKey",
]);

it("every flow is drawn, but for the one that only hands on to another, and those of operators", () => {
  const drawn = new Set<string>(Object.values(runs).map(({ flow }) => flow));
  const flows = Object.keys(createThirdPartyInvites(openWorld().ports));
  expect(flows.filter((flow) => !drawn.has(flow) && !ofOperators.has(flow))).toEqual([
    "inviteAll",
    "checkInviteLimit",
  ]);
});

describe("the diagram is what happens:", () => {
  it.each(Object.entries(runs))("%s", async (heading, run) => {
    const { participants, messages } = sequenceUnder(heading);
    const shown = callsIn(messages.slice(1, -1));
    const { drawn, outcome } = await play(run);
    expect(shown).toEqual(callsMade(drawn, shown));
    expect([messages[0], messages.at(-1)]).toEqual([
      { from: "host", to: "flow", text: run.flow, isAnswer: false },
      { from: "flow", to: "host", text: outcome, isAnswer: true },
    ]);
    expect(participants).toEqual(["host", "flow", ...new Set(shown.map(({ port }) => port))]);
  });
});

describe("the part of Mermaid that is read", () => {
  const head = "sequenceDiagram\n  participant a\n  participant b";

  it.each([
    ["another kind", "flowchart LR"],
    ["an arrow of another kind", `${head}\n  a->b: x`],
    ["somebody unknown", `${head}\n  a->>c: x`],
    ["a note over somebody unknown", `${head}\n  Note over c: x`],
    ["no text", `${head}\n  a->>b:`],
    ["a text that Mermaid would end", `${head}\n  a->>b: x; y`],
    ["a block", `${head}\n  opt x\n  a->>b: y\n  end`],
    ["a name twice", `${head}\n  participant b`],
    ["a name that Mermaid has for itself", "sequenceDiagram\n  participant end"],
    ["anything else", `${head}\n  hello`],
  ])("refuses %s", (_, diagram) => {
    expect(() => parseSequence(diagram)).toThrow();
  });
});
