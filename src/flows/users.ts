import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { UserId } from "../matrix/ids.js";
import type { Ports } from "../ports.js";
import { type Step, answered, ask } from "./run.js";

type KnownUser = Extract<Awaited<ReturnType<Ports["users"]["find"]>>, { _tag: "User" }>;

/** The user, or `undefined` where nobody has that name as far as this server knows. */
export const findUser = (
  ports: Pick<Ports, "users">,
  userId: UserId,
  signal: AbortSignal | undefined,
): Step<KnownUser | undefined> =>
  pipe(
    ask("users.find", () => ports.users.find(userId, { signal }), signal),
    answered("users.find", (answer): Step<KnownUser | undefined> => {
      switch (answer._tag) {
        case "User":
          return TE.right(answer);
        case "NoSuchUser":
          return TE.right(undefined);
      }
    }),
  );
