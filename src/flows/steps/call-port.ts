import { left, right } from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { causeOf, secretsIn } from "../../cause.js";
import type { PortOptions, Ports } from "../../ports.js";
import { type PortFailure, failure, portBroken } from "../../refusal.js";
import { idServerOf } from "./id-server-of.js";
import type { Problem, Step } from "./step.js";

/** The ports that are called asynchronously; the others are values and functions. */
export type AsyncPort =
  | "rooms"
  | "events"
  | "identityServer"
  | "invites"
  | "redemptions"
  | "limits"
  | "federation"
  | "users"
  | "policy";

type Port<P extends AsyncPort> = Exclude<NonNullable<Ports[P]>, "off">;

type QuestionOf<F> = F extends (...args: infer Args) => unknown
  ? Args extends readonly [...infer Question, PortOptions]
    ? Question
    : never
  : never;

type AnswerOf<F> = F extends (...args: never[]) => Promise<infer Answer> ? Answer : never;

/** A call that is made when its step runs. */
export interface PortCall<Answer> {
  /** The answer as it came. */
  readonly answer: Step<Answer>;
  /** The answer as it is read by this function. One for which it has nothing, or throws, is the port's failure. */
  readonly read: <A>(reader: (answer: Answer) => Step<A> | undefined) => Step<A>;
}

/** Whether a flow was stopped; asked again after a call, since it may have been stopped meanwhile. */
export const isStopped = (signal: AbortSignal | undefined): boolean => signal?.aborted ?? false;

/** Goes on unless the caller has stopped the flow: before a step that must not be cancelled. */
export const unlessStopped =
  ({ signal }: { readonly signal: AbortSignal | undefined }): Step<void> =>
  () =>
    Promise.resolve(isStopped(signal) ? left(failure("Cancelled")) : right(undefined));

const isOfIdentityServer = ({ code, port }: PortFailure): boolean =>
  port === undefined
    ? /^(?:IdentityServer|LookupAlgorithm$|PepperRotating$)/.test(code)
    : port.startsWith("identityServer.");

/** A failure with what its call says of it: which identity server was asked, and what a log must not have. */
const ofCall =
  (question: readonly unknown[]) =>
  (problem: Problem): Problem => {
    if (problem._tag === "Refusal") return problem;
    const { cause, idServer = isOfIdentityServer(problem) ? idServerOf(question[0]) : undefined } = problem;
    return {
      ...problem,
      ...(idServer === undefined ? {} : { idServer }),
      ...(cause === undefined ? {} : { cause: causeOf(cause, secretsIn(question)) }),
    };
  };

/**
 * Calls a method of a port, unless the caller has stopped the flow. A rejection, an adapter that throws or is missing, and
 * an answer outside the contract become a `PortFailure` with the name of the call.
 */
export const callPort = <P extends AsyncPort, M extends keyof Port<P> & string>(
  context: {
    readonly ports: Readonly<Partial<Record<P, Port<P>>>>;
    readonly signal: AbortSignal | undefined;
  },
  port: P,
  method: M,
  ...question: QuestionOf<Port<P>[M]>
): PortCall<AnswerOf<Port<P>[M]>> => {
  type Answer = AnswerOf<Port<P>[M]>;
  const { signal } = context;
  const name = `${port}.${method}`;
  const given: Step<Answer> = async () => {
    if (isStopped(signal)) return left(failure("Cancelled"));
    try {
      const target: object = context.ports[port] ?? {};
      // The one place where a port is called by name; the parameters and the result above say which types it has.
      const call = Reflect.get(target, method) as (...given: unknown[]) => Promise<Answer>;
      return right(await Reflect.apply(call, target, [...question, { signal }]));
    } catch (cause) {
      return left(isStopped(signal) ? failure("Cancelled", { cause }) : portBroken(name, cause));
    }
  };
  return {
    answer: pipe(given, TE.mapLeft(ofCall(question))),
    read: (reader) =>
      pipe(
        given,
        TE.flatMap((answer) => {
          try {
            // An adapter in JavaScript may answer outside the union: the reader's switch then gives nothing.
            return reader(answer) ?? TE.left(portBroken(name));
          } catch (cause) {
            return TE.left(portBroken(name, cause));
          }
        }),
        TE.mapLeft(ofCall(question)),
      ),
  };
};

/** Reads an answer that must be a list. */
export const asList = <A>(list: readonly A[]): Step<readonly A[]> | undefined =>
  Array.isArray(list) ? TE.right(list) : undefined;
