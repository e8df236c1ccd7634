import { type Either, isLeft, left, right } from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Observation, Observe, Occasion, Ports } from "../ports.js";
import { type PortFailure, type Refusal, failure, portBroken } from "../refusal.js";

/** Why a flow did not do what it was asked to. */
export type Problem = Refusal | PortFailure;

/** A step of a flow. It stays inside: what leaves is a promise. */
export type Step<A> = TE.TaskEither<Problem, A>;

export type FlowResult<A> = Promise<Either<Problem, A>>;

/** How a caller stops a flow. From the moment store-invite was sent it is ignored until the token is stored. */
export interface FlowOptions {
  readonly signal?: AbortSignal;
}

type AllPorts = Required<Omit<Ports, "config">>;

/** A call to a port by its name, such as `"events.append"`. */
export type PortCall = { [P in keyof AllPorts]: `${P}.${keyof AllPorts[P] & string}` }[keyof AllPorts];

/**
 * Asks a port, unless the caller has stopped the flow. A rejection, and an adapter that throws outright or is missing,
 * becomes a `PortFailure` with the name of the call.
 */
export const ask =
  <A>(port: PortCall, call: () => Promise<A>, signal?: AbortSignal): Step<A> =>
  async () => {
    if (signal?.aborted === true) return left(failure("Cancelled"));
    try {
      return right(await call());
    } catch (cause) {
      return left(isAborted(signal) ? failure("Cancelled", { cause }) : portBroken(port, cause));
    }
  };

/** Asked again after the call: it may have been stopped meanwhile. */
const isAborted = (signal: AbortSignal | undefined): boolean => signal?.aborted ?? false;

export const tell = (observe: Observe | undefined, observation: Observation): void => {
  try {
    observe?.(observation);
  } catch {
    // A watcher that fails must not change what it watches.
  }
};

const tellProblem = (observe: Observe | undefined, problem: Problem, occasion: Occasion = {}): void => {
  tell(
    observe,
    problem._tag === "Refusal"
      ? { _tag: "Refused", code: problem.code, ...occasion }
      : {
          _tag: "PortFailed",
          code: problem.code,
          ...(problem.port === undefined ? {} : { port: problem.port }),
          ...occasion,
        },
  );
};

/** The answer of an adapter that does not keep to its contract, in a language without types. */
export const broken = (port: PortCall): Step<never> => TE.left(portBroken(port));

/** Reads a port's answer: one that cannot be read is the port's failure. */
export const answered = <A, B>(
  port: PortCall,
  read: (answer: A) => Step<B> | undefined,
): ((step: Step<A>) => Step<B>) =>
  TE.flatMap((answer) => {
    try {
      // An answer outside the union falls through the switch of its reader.
      return read(answer) ?? broken(port);
    } catch (cause) {
      return TE.left(portBroken(port, cause));
    }
  });

/** Asks a port for a list. */
export const askList = <A>(
  port: PortCall,
  call: () => Promise<readonly A[]>,
  signal?: AbortSignal,
): Step<readonly A[]> =>
  pipe(
    ask(port, call, signal),
    answered(port, (list) => (Array.isArray(list) ? TE.right(list) : broken(port))),
  );

/** A step as a result: an adapter that answers outside its contract ends here as a `PortFailure`. */
const settle = async <A>(step: Step<A>): Promise<Either<Problem, A>> => {
  try {
    return await step();
  } catch (cause) {
    return left(failure("PortBroken", { cause }));
  }
};

/** A step whose failure changes nothing: what it would have noted can be found out again. The watcher hears of it. */
export const bestEffort =
  (observe: Observe | undefined, step: Step<unknown>): Step<void> =>
  async () => {
    const result = await settle(step);
    if (isLeft(result)) tellProblem(observe, result.left);
    return right(undefined);
  };

/** Runs a flow. It never rejects. */
export const run = async <A>(
  step: Step<A>,
  observe: Observe | undefined,
  occasion: Occasion,
): FlowResult<A> => {
  const result = await settle(step);
  if (isLeft(result)) tellProblem(observe, result.left, occasion);
  return result;
};
