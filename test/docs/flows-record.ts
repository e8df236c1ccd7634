import { type Either, isLeft } from "fp-ts/lib/Either.js";
import type { Ports, Problem } from "matrix-third-party-invites";
import { isJsonObject, member, stringMember } from "matrix-third-party-invites/matrix";
import type { World } from "../flows/ports.js";

/** One call of a port, in the words of a diagram. */
export interface Drawn {
  readonly port: string;
  readonly text: string;
  readonly hasSignal: boolean;
  answer: string | undefined;
}

const tagOf = (value: unknown): string | undefined => stringMember(value, "_tag");
const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const short = (type: unknown): string => String(type).replace("m.room.", "");
const countOf = (list: unknown): string => String(listOf(list).length);

const entriesOf = (entries: unknown): string =>
  [...new Set(listOf(entries).map((entry) => short(member(entry, "type"))))].join(", ");

const isEmpty = (content: unknown): boolean => isJsonObject(content) && Object.keys(content).length === 0;

const eventsOf = (events: unknown): string =>
  listOf(events)
    .map((event) => (isEmpty(member(event, "content")) ? "emptied " : "") + short(member(event, "type")))
    .join(", ");

/** What of a question the diagrams show, by the port's method. */
const asked: Readonly<Record<string, (args: readonly unknown[]) => string | undefined>> = {
  "rooms.snapshot": ([, entries]) => entriesOf(entries),
  "events.append": ([request]) => eventsOf(member(request, "events")),
  "policy.mayInvite": ([question]) => tagOf(member(question, "target")),
  "users.find": ([question]) => stringMember(question, "userId")?.replace(/:.*/, ""),
  "invites.putIfAbsent": ([record]) => tagOf(member(record, "life")),
  "invites.replace": ([record]) => tagOf(member(record, "life")),
  "redemptions.put": ([rows]) => countOf(rows),
  "redemptions.replace": ([record]) => tagOf(member(record, "state")),
  "federation.exchangeThirdPartyInvite": ([request]) => stringMember(request, "destination"),
};

/** What of an answer, where its tag does not say it. */
const answered: Readonly<Record<string, (answer: unknown) => string>> = {
  "identityServer.lookup": (answer) => {
    const users = isJsonObject(answer) ? answer["userIds"] : undefined;
    return users instanceof Map ? (users.size === 0 ? "nobody" : "a user") : String(tagOf(answer));
  },
  "identityServer.keyValidity": (answer) => `valid ${String(member(answer, "valid"))}`,
  "invites.putIfAbsent": (answer) => String(tagOf(member(member(answer, "value"), "life"))),
  "invites.find": (answer) => tagOf(member(member(answer, "value"), "life")) ?? "nothing",
  "invites.findByToken": countOf,
  "invites.list": countOf,
  "rooms.tokens": (answer) => countOf(member(answer, "tokens")),
  "redemptions.claim": countOf,
  "redemptions.nextDueAt": (answer) => (answer === undefined ? "nothing waits" : "a time"),
};

const textOf = (method: string, detail: string | undefined): string =>
  detail === undefined ? method : `${method}(${detail})`;

/** The ports of a world, and what is asked of them from now on. The watcher is one of them. */
export const record = (world: World): { readonly ports: Ports; readonly drawn: readonly Drawn[] } => {
  const drawn: Drawn[] = [];
  world.intercept = async ({ name, args, signal }, perform) => {
    const [port = "", method = ""] = name.split(".");
    const call: Drawn = {
      port,
      text: textOf(method, asked[name]?.(args)),
      hasSignal: signal !== undefined,
      answer: undefined,
    };
    drawn.push(call);
    const answer = await perform();
    call.answer = answered[name]?.(answer) ?? tagOf(answer);
    return answer;
  };
  const observe: Ports["observe"] = (observation) => {
    drawn.push({ port: "observe", text: observation._tag, hasSignal: true, answer: undefined });
  };
  return { ports: { ...world.ports, observe }, drawn };
};

/** What a flow came to, in the words of a diagram. */
export const outcomeOf = (result: Either<Problem, unknown>): string => {
  if (isLeft(result)) return result.left.code;
  const value = result.right;
  if (Array.isArray(value)) return countOf(value);
  if (!isJsonObject(value)) return String(value);
  const counts = ["accepted", "done", "dead", "again", "emptied"].flatMap((name) => {
    const count = Array.isArray(value[name]) ? value[name].length : value[name];
    return typeof count === "number" && count > 0 ? [`${name} ${count}`] : [];
  });
  return tagOf(value) ?? (counts.length === 0 ? "ok" : counts.join(", "));
};
