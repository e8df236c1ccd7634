import { type Either, map } from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { type Decision, type DecisionOutcome, applyDecision } from "../../invite/decision.js";
import type { StateEntry } from "../../matrix/event.js";
import type { RoomId } from "../../matrix/ids.js";
import type { RoomState } from "../../matrix/room-state.js";
import { roomVersion } from "../../matrix/room-version.js";
import type { RoomUnavailable } from "../../ports.js";
import { failure, refusal } from "../../refusal.js";
import { callPort } from "./call-port.js";
import type { Context } from "./context.js";
import type { Problem, Step } from "./step.js";

/** The state of a room, and the revision to append on top of. */
export interface ReadState {
  readonly state: RoomState;
  readonly revision: string;
}

/** Why the state of a room cannot be read. */
export const unavailable = ({ _tag }: RoomUnavailable): Problem | undefined => {
  switch (_tag) {
    case "NotResident":
      return refusal("NotInRoom");
    case "Incomplete":
      return failure("RoomIncomplete");
  }
};

/** Reads the named entries of a room. */
export const readState = (
  context: Context<"rooms">,
  roomId: RoomId,
  entries: readonly StateEntry[],
): Step<ReadState> =>
  callPort(context, "rooms", "snapshot", roomId, entries).read((answer) => {
    if (answer._tag !== "Snapshot") {
      const problem = unavailable(answer);
      return problem === undefined ? undefined : TE.left(problem);
    }
    const version = roomVersion(answer.roomVersion);
    return version === undefined
      ? TE.left(refusal("RoomVersionUnknown"))
      : TE.right({
          state: { roomId, version, get: (type, stateKey) => answer.get(type, stateKey) },
          revision: answer.revision,
        });
  });

/** What is to be decided, and where. */
export interface Plan<Command, Outcome extends DecisionOutcome> {
  readonly roomId: RoomId;
  readonly decision: Decision<Command, Outcome>;
  readonly command: Command;
  /** What must hold before events are appended; asked in each round, so it remembers its answers. */
  readonly before?: (outcome: Outcome) => Step<void>;
}

/** An outcome, and the revision of the state that it was decided on. */
export interface Decided<Outcome> {
  readonly outcome: Outcome;
  readonly revision: string;
}

/** The outcome of a flow, with the IDs of the events that were appended for it; none where there was nothing to append. */
export type Committed<Outcome> = Outcome & { readonly eventIds?: readonly string[] };

type DecideContext = Context<"crypto" | "rooms">;

const decideOn = <Command, Outcome extends DecisionOutcome>(
  { ports: { config, crypto } }: DecideContext,
  { decision, command }: Plan<Command, Outcome>,
  { state, revision }: ReadState,
): Either<Problem, Decided<Outcome>> =>
  pipe(
    applyDecision(decision, state, command, { ...config, crypto }),
    map((outcome) => ({ outcome, revision })),
  );

/** Reads what a decision declares, and decides. */
export const decide = <Command, Outcome extends DecisionOutcome>(
  context: DecideContext,
  plan: Plan<Command, Outcome>,
): Step<Decided<Outcome>> =>
  pipe(
    readState(context, plan.roomId, plan.decision.reads(plan.command)),
    TE.flatMapEither((read) => decideOn(context, plan, read)),
  );

/** A busy room changes its power levels or one user's membership rarely; losing five times in a row is no accident. */
const maxRounds = 5;

/**
 * Appends the events of a decided outcome on the revision that it was decided on. Where an entry that was read has
 * changed since, it reads and decides again: that is why a decision is pure.
 */
export const carryOut = <Command, Outcome extends DecisionOutcome>(
  context: Context<"crypto" | "rooms" | "events">,
  plan: Plan<Command, Outcome>,
  decided: Decided<Outcome>,
  rounds = maxRounds,
): Step<Committed<Outcome>> => {
  const { outcome, revision } = decided;
  const { events } = outcome;
  if (events.length === 0) return TE.right(outcome);
  const request = { roomId: plan.roomId, revision, reads: plan.decision.reads(plan.command), events };
  return pipe(
    plan.before?.(outcome) ?? TE.right(undefined),
    TE.flatMap(() =>
      callPort(context, "events", "append", request).read((answer): Step<Committed<Outcome>> => {
        switch (answer._tag) {
          case "Appended":
            return TE.right({ ...outcome, eventIds: answer.eventIds });
          case "Conflict":
            return rounds === 1
              ? TE.left(failure("AppendContended"))
              : pipe(
                  decide(context, plan),
                  TE.flatMap((newer) => carryOut(context, plan, newer, rounds - 1)),
                );
          case "Refused":
            return TE.left(failure("AppendRefused", { answer }));
          case "Unavailable":
            return TE.left(failure("AppendUnavailable", { retryAfterMs: answer.retryAfterMs }));
        }
      }),
    ),
  );
};

/** Decides and carries out. */
export const commit = <Command, Outcome extends DecisionOutcome>(
  context: Context<"crypto" | "rooms" | "events">,
  plan: Plan<Command, Outcome>,
): Step<Committed<Outcome>> =>
  pipe(
    decide(context, plan),
    TE.flatMap((decided) => carryOut(context, plan, decided)),
  );
