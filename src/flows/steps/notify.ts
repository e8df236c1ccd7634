import { type Either, isLeft, left, right } from "fp-ts/lib/Either.js";
import type { Observation, Observe, Occasion } from "../../ports.js";
import { failure } from "../../refusal.js";
import type { FlowResult, Problem, Step } from "./step.js";

/** Whoever may be observing a flow. */
interface Observed {
  readonly ports: { readonly observe?: Observe };
}

/** Tells the host's observer. What it throws changes nothing. */
export const notify = ({ ports }: Observed, observation: Observation): void => {
  try {
    ports.observe?.(observation);
  } catch {
    // An observer that fails must not change what it observes.
  }
};

const notifyProblem = (context: Observed, problem: Problem, occasion: Occasion = {}): void => {
  notify(
    context,
    problem._tag === "Refusal"
      ? { _tag: "Refused", code: problem.code, ...occasion }
      : {
          _tag: "PortFailed",
          code: problem.code,
          ...(problem.port === undefined ? {} : { port: problem.port }),
          ...(problem.idServer === undefined ? {} : { idServer: problem.idServer }),
          ...(problem.cause === undefined ? {} : { cause: problem.cause }),
          ...occasion,
        },
  );
};

/** A step as a result: an adapter that answers outside its contract ends here as a `PortFailure`. */
export const settle = async <A>(step: Step<A>): Promise<Either<Problem, A>> => {
  try {
    return await step();
  } catch (cause) {
    return left(failure("PortBroken", { cause }));
  }
};

/** A step whose failure changes nothing: what it would have noted can be found out again. The observer is told. */
export const bestEffort =
  (context: Observed, step: Step<unknown>): Step<void> =>
  async () => {
    const result = await settle(step);
    if (isLeft(result)) notifyProblem(context, result.left);
    return right(undefined);
  };

/** Runs a flow. It never rejects. */
export const run = async <A>(context: Observed, step: Step<A>, occasion: Occasion): FlowResult<A> => {
  const result = await settle(step);
  if (isLeft(result)) notifyProblem(context, result.left, occasion);
  return result;
};
