/** What happened, one line a step; written only where somebody wants to read it. */
export interface Trace {
  readonly lines: readonly string[];
  readonly note: (who: string, line: () => string) => void;
}

export const noTrace: Trace = { lines: [], note: () => undefined };

const seconds = (milliseconds: number): string => (milliseconds / 1000).toFixed(3);

export const traceFrom = (start: number, now: () => number): Trace => {
  const lines: string[] = [];
  return {
    lines,
    note: (who, line) => {
      const number = String(lines.length + 1).padStart(4);
      lines.push(`${number} ${seconds(now() - start).padStart(10)}s ${who.padEnd(6)} ${line()}`);
    },
  };
};

/** An answer in a word or two. */
export const outcomeOf = (answer: unknown): string => {
  if (Array.isArray(answer)) return `${answer.length} of them`;
  if (typeof answer !== "object" || answer === null) return String(answer);
  const tag: unknown = Reflect.get(answer, "_tag");
  if (typeof tag !== "string") return "an answer";
  const side: unknown = Reflect.get(answer, tag === "Left" ? "left" : "right");
  if (tag === "Left" || tag === "Right") {
    const name: unknown =
      typeof side === "object" && side !== null
        ? (Reflect.get(side, "code") ?? Reflect.get(side, "_tag"))
        : side;
    return `${tag === "Left" ? "no" : "ok"}${typeof name === "string" ? ` ${name}` : ""}`;
  }
  const status: unknown = Reflect.get(answer, "status");
  return typeof status === "number" ? `${tag} ${status}` : tag;
};
