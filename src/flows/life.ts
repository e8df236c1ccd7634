import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { type Happening, type InviteRecord, advance, isPendingUnder } from "../invite/life.js";
import type { RoomId } from "../matrix/ids.js";
import type { Ports, Stored } from "../ports.js";
import { refusal } from "../refusal.js";
import { type Step, ask, bestEffort, broken } from "./run.js";

/**
 * Moves a stored invite on. Whoever loses the race for it is told that the same invite is being made. A happening
 * that does not fit the state is one that only a broken storage can bring about.
 */
export const move =
  (ports: Pick<Ports, "invites">) =>
  (stored: Stored<InviteRecord>, happening: Happening): Step<Stored<InviteRecord>> => {
    const life = advance(stored.value.life, happening);
    if (life === undefined) return broken();
    const value = { ...stored.value, life };
    return pipe(
      ask(() => ports.invites.replace(value, stored.mark, {})),
      TE.flatMap((answer): Step<Stored<InviteRecord>> => {
        switch (answer._tag) {
          case "Replaced":
            return TE.right({ value, mark: answer.mark });
          case "Stale":
            return TE.left(refusal("InviteInProgress", { retryAfterMs: 2_000 }));
          default:
            return broken();
        }
      }),
    );
  };

/** Notes what the room shows already: the end of an invite of ours, if the token is of one. */
export const noteEnd = (
  ports: Pick<Ports, "invites" | "observe">,
  roomId: RoomId,
  token: string,
  end: Extract<Happening, { _tag: "Redeem" | "Revoke" }>,
): Step<void> =>
  bestEffort(
    ports.observe,
    pipe(
      ask(() => ports.invites.findByToken(roomId, token, {})),
      TE.flatMap((stored): Step<unknown> =>
        stored !== undefined && isPendingUnder(stored.value.life, token)
          ? move(ports)(stored, end)
          : TE.right(undefined),
      ),
    ),
  );
