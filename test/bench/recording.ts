/** One call of a port or client, with its answer, and how to make it again of somebody else. */
export interface Call {
  readonly args: readonly unknown[];
  readonly answer: unknown;
  readonly again: (args: readonly unknown[]) => unknown;
}

/** The same object, whose methods are called by `call`. */
export const watched = <Port extends object>(
  port: Port,
  call: (name: string, args: readonly unknown[], method: () => unknown) => unknown,
): Port =>
  new Proxy(port, {
    get: (target, name): unknown => {
      const method: unknown = Reflect.get(target, name);
      if (typeof method !== "function" || typeof name !== "string") return method;
      return (...args: unknown[]) => call(name, args, () => Reflect.apply(method, target, args) as unknown);
    },
  });

/** The same object; what is asked of it can be asked of its twin again, which has an own state. */
export const recorded = <Port extends object>(port: Port, twin: Port, keep: (call: Call) => void): Port =>
  watched(port, (name, args, method) => {
    const answer = method();
    const again: unknown = Reflect.get(twin, name);
    if (typeof again !== "function") throw new TypeError("The twin is another.");
    keep({ args, answer, again: (given) => Reflect.apply(again, twin, [...given]) as unknown });
    return answer;
  });

/** Rows and records have marks that a database draws: the twin has drawn others. */
const learnMarks = (marks: Map<string, string>, one: unknown, other: unknown): void => {
  if (typeof one !== "object" || one === null || typeof other !== "object" || other === null) return;
  for (const [name, value] of Object.entries(one)) {
    const drawn: unknown = Reflect.get(other, name);
    if (name === "mark" && typeof value === "string" && typeof drawn === "string") marks.set(value, drawn);
    else if (Array.isArray(one) || name === "rows") learnMarks(marks, value, drawn);
  }
};

/** A mark stands by itself, or among the parameters of a statement. */
const withMarks = (marks: ReadonlyMap<string, string>, value: unknown): unknown => {
  if (typeof value === "string") return marks.get(value) ?? value;
  if (!Array.isArray(value)) return value;
  const items: readonly unknown[] = value;
  return items.map((item) => (typeof item === "string" ? (marks.get(item) ?? item) : item));
};

/** Makes calls again, one after the other. */
export const replay = async (calls: readonly Call[], marks: Map<string, string>): Promise<void> => {
  for (const { args, answer, again } of calls)
    learnMarks(marks, await answer, await again(args.map((value) => withMarks(marks, value))));
};
