import { type Either, isLeft } from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { EventTemplate, StateEntry } from "../matrix/event.js";
import type { RoomId } from "../matrix/ids.js";
import type { RoomState } from "../matrix/room-state.js";
import { roomVersion } from "../matrix/room-version.js";
import type { Ports } from "../ports.js";
import { type Refusal, failure, refusal } from "../refusal.js";
import { type Step, answered, ask } from "./run.js";

/** The state of a room, and the revision to append on top of. */
export interface View {
  readonly state: RoomState;
  readonly revision: string;
}

/** Reads the named entries of a room. */
export const look =
  (ports: Pick<Ports, "rooms">) =>
  (roomId: RoomId, entries: readonly StateEntry[], signal: AbortSignal | undefined): Step<View> =>
    pipe(
      ask("rooms.snapshot", () => ports.rooms.snapshot(roomId, entries, { signal }), signal),
      answered("rooms.snapshot", (answer): Step<View> => {
        switch (answer._tag) {
          case "NotResident":
            return TE.left(refusal("NotInRoom"));
          case "Incomplete":
            return TE.left(failure("RoomIncomplete"));
          case "Snapshot": {
            const version = roomVersion(answer.roomVersion);
            return version === undefined
              ? TE.left(refusal("RoomVersionUnknown"))
              : TE.right({
                  state: { roomId, version, get: (type, stateKey) => answer.get(type, stateKey) },
                  revision: answer.revision,
                });
          }
        }
      }),
    );

/** What was decided, and the IDs of the events that were appended for it; none where there was nothing to append. */
export type Committed<O> = O & { readonly eventIds?: readonly string[] };

/** A decision to be made on a room's state and carried out on the revision it was made on. */
export interface Plan<O> {
  readonly roomId: RoomId;
  /** What the decision reads. */
  readonly reads: readonly StateEntry[];
  readonly decide: (state: RoomState) => Either<Refusal, O>;
  /** The events of an outcome; none ends the flow without an append. */
  readonly events: (outcome: O) => readonly EventTemplate[];
  /** What must be known before the events are appended; asked again in each round, so it remembers its answers. */
  readonly before?: (outcome: O) => Step<void>;
}

/** A busy room changes its power levels or one user's membership rarely; losing five times in a row is no accident. */
const maxRounds = 5;

/**
 * Decides on a fresh snapshot and appends on its revision; where an entry that was read has changed by then, reads
 * and decides again. That is why deciding is pure.
 */
export const commit =
  (ports: Pick<Ports, "rooms" | "events">) =>
  <O extends object>(plan: Plan<O>, signal: AbortSignal | undefined): Step<Committed<O>> => {
    const { roomId, reads } = plan;

    const append = (outcome: O, revision: string, rounds: number): Step<Committed<O>> => {
      const events = plan.events(outcome);
      if (events.length === 0) return TE.right(outcome);
      return pipe(
        plan.before?.(outcome) ?? TE.right(undefined),
        TE.flatMap(() =>
          ask(
            "events.append",
            () => ports.events.append({ roomId, revision, reads, events }, { signal }),
            signal,
          ),
        ),
        answered("events.append", (answer): Step<Committed<O>> => {
          switch (answer._tag) {
            case "Appended":
              return TE.right({ ...outcome, eventIds: answer.eventIds });
            case "Conflict":
              return rounds === 1 ? TE.left(failure("AppendContended")) : attempt(rounds - 1);
            case "Refused":
              return TE.left(failure("AppendRefused", { answer }));
            case "Unavailable":
              return TE.left(failure("AppendUnavailable", { retryAfterMs: answer.retryAfterMs }));
          }
        }),
      );
    };

    const attempt = (rounds: number): Step<Committed<O>> =>
      pipe(
        look(ports)(roomId, reads, signal),
        TE.flatMap(({ state, revision }) => {
          const decided = plan.decide(state);
          return isLeft(decided) ? TE.left(decided.left) : append(decided.right, revision, rounds);
        }),
      );

    return attempt(maxRounds);
  };
