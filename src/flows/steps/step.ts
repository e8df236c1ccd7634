import type { Either } from "fp-ts/lib/Either.js";
import type * as TE from "fp-ts/lib/TaskEither.js";
import type { PortFailure, Refusal } from "../../refusal.js";

/** Why a flow did not do what it was asked to. */
export type Problem = Refusal | PortFailure;

/** A step of a flow. It stays inside: what leaves is a promise. */
export type Step<A> = TE.TaskEither<Problem, A>;

export type FlowResult<A> = Promise<Either<Problem, A>>;

/** How a caller stops a flow. From the moment store-invite was sent it is ignored until the token is stored. */
export interface FlowOptions {
  readonly signal?: AbortSignal;
}
