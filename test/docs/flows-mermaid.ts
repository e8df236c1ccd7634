/**
 * The part of Mermaid that our pages are written in, and no more: whatever else stands in a diagram is an error. There
 * is no small parser of sequence diagrams to keep; Mermaid's own needs a browser.
 */

export interface Message {
  readonly from: string;
  readonly to: string;
  readonly text: string;
  /** Whether it is an answer: drawn dashed. */
  readonly isAnswer: boolean;
}

export interface Sequence {
  readonly participants: readonly string[];
  readonly messages: readonly Message[];
}

export interface Edge {
  readonly from: string;
  readonly to: string;
  readonly text: string;
}

const name = "[A-Za-z][A-Za-z0-9]*";
/** Mermaid ends a text at these, or takes what follows for something else. */
const text = "[^;#%]+";

const participantLine = new RegExp(`^participant (${name})(?: as ${text})?$`);
const messageLine = new RegExp(`^(${name})(--?>>)(${name}): (${text})$`);
const noteLine = new RegExp(`^Note over (${name})(?:,(${name}))?: ${text}$`);
const stateLine = new RegExp(`^(\\[\\*\\]|${name}) --> (\\[\\*\\]|${name})(?:: (${text}))?$`);

/** Words that Mermaid has for itself. */
const reserved: ReadonlySet<string> = new Set(
  "participant actor end alt else opt loop par and critical break rect box note over as activate deactivate".split(
    " ",
  ),
);

const linesOf = (diagram: string, kind: string): readonly string[] => {
  const [first, ...lines] = diagram.split("\n").map((line) => line.trim());
  if (first !== kind) throw new Error(`This is no ${kind}: ${String(first)}`);
  return lines.filter((line) => line !== "");
};

/** Reads a sequence diagram; throws at the first line that it does not know. */
export const parseSequence = (diagram: string): Sequence => {
  const participants: string[] = [];
  const messages: Message[] = [];
  const known = (of: string | undefined, line: string): string => {
    if (of === undefined || !participants.includes(of)) throw new Error(`Who is ${String(of)}? ${line}`);
    return of;
  };
  for (const line of linesOf(diagram, "sequenceDiagram")) {
    const participant = participantLine.exec(line)?.[1];
    const message = messageLine.exec(line);
    const note = noteLine.exec(line);
    if (participant !== undefined) {
      if (participants.includes(participant) || reserved.has(participant.toLowerCase()))
        throw new Error(`A name that is taken: ${line}`);
      participants.push(participant);
    } else if (message !== null) {
      const [, from, arrow, to, said = ""] = message;
      messages.push({
        from: known(from, line),
        to: known(to, line),
        text: said,
        isAnswer: arrow === "-->>",
      });
    } else if (note !== null) {
      known(note[1], line);
      if (note[2] !== undefined) known(note[2], line);
    } else throw new Error(`Not understood: ${line}`);
  }
  return { participants, messages };
};

/** Reads a state diagram. */
export const parseStates = (diagram: string): readonly Edge[] =>
  linesOf(diagram, "stateDiagram-v2").map((line) => {
    const [, from, to, said = ""] = stateLine.exec(line) ?? [];
    if (from === undefined || to === undefined) throw new Error(`Not understood: ${line}`);
    return { from, to, text: said };
  });
