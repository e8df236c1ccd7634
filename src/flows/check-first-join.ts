import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { type FirstJoinOutcome, firstJoin, firstJoinToken } from "../invite/first-join.js";
import { defineFlow } from "./flow.js";
import { checkKeyValidity } from "./steps/check-key-validity.js";
import { decide } from "./steps/decide.js";
import { readCommand } from "./steps/read-command.js";
import type { Problem, Step } from "./steps/step.js";

/** A user of another server asks to join through us. */
export interface FirstJoinCommand {
  readonly roomId: string;
  readonly userId: string;
  /** Whether a user of that server is in the room already: then it does not join for the first time. */
  readonly serverInRoom: boolean;
}

/** What this server cannot find out now another may: after this answer the joining server asks the next one (D-101). */
const askAnother = (problem: Problem): Problem =>
  problem.code === "KeyValidityUnknown" || problem.code === "RoomIncomplete"
    ? { ...problem, status: 400, errcode: "M_UNABLE_TO_AUTHORISE_JOIN" }
    : problem;

/** What was checked of a first join that may go on. */
export type FirstJoinChecked = FirstJoinOutcome["_tag"];

export const checkFirstJoin = defineFlow(
  "crypto",
  "rooms",
  "identityServer",
  "clock",
)((context, { roomId, userId, serverInRoom }: FirstJoinCommand) =>
  pipe(
    TE.fromEither(readCommand({ roomId, requester: { userId } })),
    TE.flatMap(({ roomId, requester: { userId } }): Step<FirstJoinChecked> => {
      if (serverInRoom) return TE.right("NothingToCheck");
      return pipe(
        decide(context, { roomId, decision: firstJoinToken, command: { userId } }),
        TE.flatMap(({ outcome }): Step<FirstJoinOutcome> =>
          outcome._tag === "NothingToCheck"
            ? TE.right(outcome)
            : // The token is known only now; the proof is judged on a state that has both events.
              pipe(
                decide(context, {
                  roomId,
                  decision: firstJoin,
                  command: { userId, token: outcome.token },
                }),
                TE.map((decided) => decided.outcome),
              ),
        ),
        TE.tap((outcome) =>
          outcome._tag === "CheckKeys"
            ? checkKeyValidity(context, { isUrgent: false })(outcome.keys)
            : TE.right(undefined),
        ),
        TE.map(({ _tag }) => _tag),
      );
    }),
    TE.mapLeft(askAnother),
  ),
);
