import type { SignedPdu } from "matrix-third-party-invites/matrix";
import type { JsonObject } from "matrix-third-party-invites/ports";
import { textAt } from "../homeserver/json.js";

/** A request on the wire, with its place in the order of all beginnings and ends. */
export interface RequestLine {
  readonly from: string;
  readonly to: string;
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
  readonly began: number;
  ended: number;
  status: number;
  response: unknown;
}

/** An event that a server has added to its copy of a room. */
export interface EventLine {
  readonly server: string;
  readonly roomId: string;
  readonly roomVersion: string;
  readonly eventId: string;
  readonly pdu: JsonObject;
}

export interface StepLine {
  readonly name: string;
  readonly roomVersion: string;
  readonly ok: boolean;
  /** What the step has found out for those after it, in JSON. */
  readonly result?: unknown;
}

/** What earlier runs have written down. */
export type Earlier = Pick<Transcript, "requests" | "events" | "steps">;

interface Line {
  readonly depth: number;
  readonly text: () => string;
}

const brief = (path: string): string => path.replace(/[^/?=&]{40,}/g, (part) => `${part.slice(0, 12)}…`);

const described = ({ pdu }: EventLine): string => {
  const type = textAt(pdu, "type");
  switch (type) {
    case "m.room.member":
      return `${type} (${textAt(pdu, "content", "membership")}) of ${textAt(pdu, "state_key")}`;
    case "m.room.third_party_invite":
      return textAt(pdu, "content", "public_key") === "" ? `${type} (emptied)` : type;
    default:
      return type;
  }
};

const answerOf = ({ status, response }: RequestLine): string => {
  if (status === 0) return "no answer";
  return status < 400
    ? String(status)
    : `${status} ${textAt(response, "errcode")}: ${textAt(response, "error")}`;
};

/** Writes down all that happens. A step is printed once it is over, its requests in the order in which they began. */
export class Transcript {
  readonly requests: RequestLine[] = [];
  readonly events: EventLine[] = [];
  readonly steps: StepLine[] = [];
  readonly #print: (line: string) => void;
  readonly #over: () => void;
  #lines: Line[] = [];
  #moment = 0;
  #depth = 0;

  /** `over` is called after each step that went as expected. */
  constructor(
    print: (line: string) => void,
    { earlier, over = () => undefined }: { readonly earlier?: Earlier; readonly over?: () => void } = {},
  ) {
    this.#print = print;
    this.#over = over;
    this.requests.push(...(earlier?.requests ?? []));
    this.events.push(...(earlier?.events ?? []));
    this.steps.push(...(earlier?.steps ?? []));
    this.#moment = Math.max(0, ...this.requests.map(({ ended }) => ended));
  }

  /** Notes that a request goes out; the result is to be called with its answer. */
  request(
    sent: Pick<RequestLine, "from" | "to" | "method" | "path" | "body">,
  ): (status: number, response: unknown) => void {
    const line: RequestLine = { ...sent, began: this.#next(), ended: 0, status: 0, response: null };
    this.requests.push(line);
    const { from, to, method, path } = line;
    this.#write(() => `${from} → ${to}  ${method} ${brief(path)}  ${answerOf(line)}`);
    this.#depth += 1;
    return (status, response) => {
      this.#depth -= 1;
      Object.assign(line, { status, response: response ?? null, ended: this.#next() });
    };
  }

  appended(server: string, roomId: string, roomVersion: string, { eventId, pdu }: SignedPdu): void {
    const line = { server, roomId, roomVersion, eventId, pdu };
    this.events.push(line);
    this.#write(() => `${server} appends ${described(line)}: ${eventId}`);
  }

  note(text: string): void {
    this.#write(() => text);
  }

  /**
   * Runs one step under its heading; what it throws is what went otherwise than expected. A step that an earlier run has
   * done is not done again: it gives what it gave then.
   */
  async step<T>(name: string, roomVersion: string, run: () => Promise<T>): Promise<T> {
    const done = this.steps.find((step) => step.ok && step.name === name && step.roomVersion === roomVersion);
    if (done !== undefined) {
      this.#print(`\n${name} (room version ${roomVersion}): done in an earlier run`);
      return done.result as T;
    }
    this.#print(`\n${name} (room version ${roomVersion})`);
    let result: T | undefined;
    let ok = false;
    try {
      result = await run();
      ok = true;
      return result;
    } finally {
      this.steps.push({ name, roomVersion, ok, ...(result === undefined ? {} : { result }) });
      for (const { depth, text } of this.#lines) this.#print(`  ${"  ".repeat(depth)}${text()}`);
      this.#lines = [];
      this.#print(ok ? "  as expected" : "  NOT as expected");
      if (ok) this.#over();
    }
  }

  #write(text: () => string): void {
    this.#lines.push({ depth: this.#depth, text });
  }

  #next(): number {
    this.#moment += 1;
    return this.#moment;
  }
}
