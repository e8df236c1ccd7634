import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { type Happening, type InviteRecord, advance, endsBy } from "../invite/life.js";
import type { RoomId } from "../matrix/ids.js";
import type { Ports, Stored } from "../ports.js";
import { refusal } from "../refusal.js";
import { type Step, answered, ask, askList, broken } from "./run.js";

/**
 * Moves a stored invite on. Whoever loses the race for it is told that the same invite is being made. A happening
 * that does not fit the state is one that only a broken storage can bring about.
 */
export const move =
  (ports: Pick<Ports, "invites">) =>
  (stored: Stored<InviteRecord>, happening: Happening): Step<Stored<InviteRecord>> => {
    const life = advance(stored.value.life, happening);
    if (life === undefined) return broken("invites.replace");
    const value = { ...stored.value, life };
    return pipe(
      ask("invites.replace", () => ports.invites.replace(value, stored.mark, {})),
      answered("invites.replace", (answer): Step<Stored<InviteRecord>> => {
        switch (answer._tag) {
          case "Replaced":
            return TE.right({ value, mark: answer.mark });
          case "Stale":
            return TE.left(refusal("InviteInProgress", { retryAfterMs: 2_000 }));
        }
      }),
    );
  };

/** Losing the race for one invite five times in a row is no accident. */
const maxRounds = 5;

/** Does something that may lose the race for an invite, and does it again from the start where it has. */
export const again = <A>(attempt: Step<A>, rounds: number = maxRounds): Step<A> =>
  pipe(
    attempt,
    TE.orElse((problem) =>
      problem.code === "InviteInProgress" && rounds > 1 ? again(attempt, rounds - 1) : TE.left(problem),
    ),
  );

/** What has ended: an invite, by one of its tokens; a redemption is the end of its sender's own only. */
export type End =
  | {
      readonly _tag: "Redeem";
      readonly by: Extract<Happening, { _tag: "Redeem" }>["by"];
      readonly sender: string;
    }
  | { readonly _tag: "Revoke" };

const isEndOf = ({ life, sender }: InviteRecord, token: string, end: End): boolean =>
  endsBy(life, token, end._tag) && (end._tag === "Revoke" || end.sender === sender);

/** Notes what the room shows already: the end of the invites of ours that the token is of; whether there were any. */
export const noteEnd =
  (ports: Pick<Ports, "invites">) =>
  (roomId: RoomId, token: string, end: End, signal?: AbortSignal): Step<boolean> => {
    // Kept over the rounds: what one of them has noted the next does not find.
    let noted = false;
    return again(
      pipe(
        askList("invites.findByToken", () => ports.invites.findByToken(roomId, token, { signal }), signal),
        TE.map((found) => found.filter(({ value }) => isEndOf(value, token, end))),
        TE.flatMap(
          TE.traverseSeqArray((stored) =>
            pipe(
              move(ports)(stored, end),
              TE.tapIO(() => () => {
                noted = true;
              }),
            ),
          ),
        ),
        TE.map(() => noted),
      ),
    );
  };
