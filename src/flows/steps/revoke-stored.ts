import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Requester } from "../../invite/admit.js";
import { type InviteKey, type InviteRecord, advance } from "../../invite/invite-life.js";
import { type RevokeInviteOutcome, revokeRecord } from "../../invite/revoke.js";
import type { RoomId } from "../../matrix/ids.js";
import type { Marked } from "../../ports.js";
import { refusal } from "../../refusal.js";
import { callPort } from "./call-port.js";
import type { Context } from "./context.js";
import { type Committed, commit } from "./decide.js";
import type { Step } from "./step.js";
import { retryLostRace, transition } from "./transition.js";

export type RevokeContext = Context<"crypto" | "rooms" | "events" | "invites">;

/** Notes that an invite was revoked, if it is not over; whether there was anything to note. */
const noteRevoked = (context: Context<"invites">, stored: Marked<InviteRecord>): Step<boolean> =>
  advance(stored.value.life, { _tag: "Revoke" }) === undefined
    ? TE.right(false)
    : pipe(
        transition(context, stored, { _tag: "Revoke" }),
        TE.map(() => true),
      );

/**
 * Empties all tokens of a stored invite, and ends it: an answer of the identity server that is still to come finds it
 * ended, and its token is not appended.
 */
export const revokeStored = (
  context: RevokeContext,
  of: { readonly roomId: RoomId; readonly requester: Requester },
  key: InviteKey,
): Step<Committed<RevokeInviteOutcome>> => {
  const { roomId, requester } = of;
  // Kept over the rounds: what was emptied in one of them is what this call has done.
  let done: Committed<RevokeInviteOutcome> | undefined;
  return retryLostRace(
    pipe(
      callPort(context, "invites", "find", key).answer,
      TE.flatMap((stored) => (stored === undefined ? TE.left(refusal("InviteNotFound")) : TE.right(stored))),
      TE.bindTo("stored"),
      TE.bind("outcome", ({ stored: { value: record } }) =>
        commit(context, { roomId, decision: revokeRecord, command: { requester, record } }),
      ),
      TE.tapIO(({ outcome }) => () => {
        if (outcome._tag === "Revoke") done = outcome;
      }),
      TE.flatMap(({ stored, outcome }) =>
        pipe(
          noteRevoked(context, stored),
          TE.map((noted): Committed<RevokeInviteOutcome> => {
            if (outcome._tag === "AlreadyRedeemed") return outcome;
            return done ?? (noted ? { _tag: "Revoke", events: [] } : outcome);
          }),
        ),
      ),
    ),
  );
};
