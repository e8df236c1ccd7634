import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { type Admitted, admitInviter } from "../../invite/admit-inviter.js";
import type { Requester } from "../../invite/admit.js";
import type { InviteDetails } from "../../invite/event-templates.js";
import { type InviteUserOutcome, inviteUser } from "../../invite/invite-user.js";
import type { RoomId, UserId } from "../../matrix/ids.js";
import type { PolicyQuestion } from "../../ports.js";
import { refusal } from "../../refusal.js";
import { callPort } from "./call-port.js";
import type { Context } from "./context.js";
import { type Committed, commit, decide } from "./decide.js";
import { findInvitee } from "./find-user.js";
import { forClient } from "./for-client.js";
import { notify } from "./notify.js";
import type { Step } from "./step.js";

export type InviteUserNeeds = "crypto" | "rooms" | "events" | "users" | "policy";

/** Who invites, into which room, and what they said about the invite. */
export interface Inviting {
  readonly roomId: RoomId;
  readonly requester: Requester;
  readonly details: InviteDetails;
}

/** Whether the requester may invite into the room; with it, what the room's state has for a mail. */
export const admitted = (
  context: Context<"crypto" | "rooms">,
  { roomId, requester }: Inviting,
): Step<Admitted> =>
  pipe(
    decide(context, { roomId, decision: admitInviter, command: requester }),
    TE.map(({ outcome }) => outcome),
  );

/** Asks the host's policy, if there is one. */
export const askPolicy = (
  { ports: { policy }, signal }: Context<"policy">,
  question: PolicyQuestion,
): Step<void> =>
  policy === undefined
    ? TE.right(undefined)
    : callPort({ ports: { policy }, signal }, "policy", "mayInvite", question).read((answer): Step<void> => {
        // Fails closed, also where an adapter in JavaScript answers something else.
        switch (answer._tag) {
          case "Allow":
            return TE.right(undefined);
          case "Refuse":
            return TE.left(refusal("PolicyRefused", { answer, retryAfterMs: answer.retryAfterMs }));
        }
      });

/** What the policy is asked about a user whose ID is known. */
type AboutUser = Pick<PolicyQuestion, "mail"> & {
  readonly target: Extract<PolicyQuestion["target"], { readonly userId: UserId }>;
};

/**
 * Invites a user whose ID is known: the policy about this user, the user's account, then the decision and the append on a
 * state that has the user's membership.
 */
export const inviteKnownUser = (
  context: Context<InviteUserNeeds>,
  { roomId, requester, details }: Inviting,
  about: AboutUser,
): Step<Committed<InviteUserOutcome>> => {
  const { userId } = about.target;
  const inviter = requester.userId;
  return pipe(
    askPolicy(context, { inviter, roomId, ...about }),
    TE.flatMap(() => findInvitee(context, { userId, inviter })),
    TE.flatMap((profile) =>
      commit(context, {
        roomId,
        decision: inviteUser,
        command: { requester, userId, profile, details },
      }),
    ),
    TE.mapLeft(forClient),
    TE.tapIO((outcome) => () => {
      if (outcome._tag === "Invite")
        notify(context, { _tag: "InviteMade", roomId, sender: inviter, target: userId });
    }),
  );
};
