import * as TE from "fp-ts/lib/TaskEither.js";
import { type UserId, serverOf } from "../../matrix/ids.js";
import type { Profile } from "../../invite/event-templates.js";
import type { UserAnswer, UserQuestion } from "../../ports.js";
import { refusal } from "../../refusal.js";
import { pipe } from "fp-ts/lib/function.js";
import { callPort } from "./call-port.js";
import type { Context } from "./context.js";
import type { Step } from "./step.js";

type KnownUser = Extract<UserAnswer, { readonly _tag: "User" }>;

/** The user, or `undefined` where nobody has that name as far as this server knows. */
export const findUser = (context: Context<"users">, question: UserQuestion): Step<KnownUser | undefined> =>
  callPort(context, "users", "find", question).read((answer): Step<KnownUser | undefined> => {
    switch (answer._tag) {
      case "User":
        return TE.right(answer);
      case "NoSuchUser":
        return TE.right(undefined);
    }
  });

/**
 * The profile of somebody who is to be invited. Only our own users can be missing, or block invites; a block does not hold
 * where the user asks for the invite (D-190).
 */
export const findInvitee = (
  context: Context<"users">,
  { userId, inviter }: { readonly userId: UserId; readonly inviter: UserId },
  { isWanted = false }: { readonly isWanted?: boolean } = {},
): Step<Profile> =>
  pipe(
    findUser(context, { userId, inviter }),
    TE.flatMap((user): Step<Profile> => {
      const isLocal = serverOf(userId) === context.ports.config.serverName;
      if (isLocal && user === undefined) return TE.left(refusal("UserUnknown"));
      if (isLocal && user?.blocksInvites === true && !isWanted) return TE.left(refusal("InvitesBlocked"));
      return TE.right(user?.profile ?? {});
    }),
  );

/** Refuses an inviter whom a user of ours blocks. */
export const refuseBlocked = (context: Context<"users">, question: UserQuestion): Step<void> =>
  pipe(
    findUser(context, question),
    TE.flatMap((user): Step<void> =>
      user?.blocksInvites === true ? TE.left(refusal("InvitesBlocked")) : TE.right(undefined),
    ),
  );
