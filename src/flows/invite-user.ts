import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { type Requester, admit } from "../invite/admit.js";
import { type InviteDetails, type InviteOutcome, type Profile, decide } from "../invite/decide.js";
import { type StateEntry, entry } from "../matrix/event.js";
import { type RoomId, type UserId, serverOf } from "../matrix/ids.js";
import type { PolicyTarget, Ports } from "../ports.js";
import { refusal } from "../refusal.js";
import { type Committed, commit, look } from "./commit.js";
import { type Step, answered, ask, tell } from "./run.js";
import { findUser } from "./users.js";

type InvitePorts = Pick<Ports, "config" | "rooms" | "events" | "users" | "policy" | "observe">;

/** The entries that say whether somebody may invite. */
export const powerEntries = (sender: UserId): readonly StateEntry[] => [
  entry("m.room.create"),
  entry("m.room.power_levels"),
  entry("m.room.member", sender),
];

/** Permission, then policy: both before anything leaves this server (D-6). */
export const admitted =
  (ports: Pick<Ports, "rooms" | "policy">) =>
  (
    roomId: RoomId,
    requester: Requester,
    target: PolicyTarget,
    more: readonly StateEntry[],
    signal: AbortSignal | undefined,
  ) =>
    pipe(
      look(ports)(roomId, [...powerEntries(requester.userId), ...more], signal),
      TE.tap(({ state }) => TE.fromEither(admit(state, requester))),
      TE.tap(() => mayInvite(ports)(roomId, requester.userId, target, signal)),
    );

const mayInvite =
  ({ policy }: Pick<Ports, "policy">) =>
  (roomId: RoomId, requester: UserId, target: PolicyTarget, signal: AbortSignal | undefined): Step<void> =>
    policy === undefined
      ? TE.right(undefined)
      : pipe(
          ask("policy.mayInvite", () => policy.mayInvite({ requester, roomId, target }, { signal }), signal),
          // Fails closed, also where an adapter in JavaScript answers something else.
          answered("policy.mayInvite", (answer): Step<void> => {
            switch (answer._tag) {
              case "Allow":
                return TE.right(undefined);
              case "Refuse":
                return TE.left(refusal("PolicyRefused", { answer, retryAfterMs: answer.retryAfterMs }));
            }
          }),
        );

/** What is known of the invitee. Only our own users can be missing, or block invites. */
const reachable =
  (ports: Pick<Ports, "config" | "users">) =>
  (userId: UserId, signal: AbortSignal | undefined): Step<Profile> =>
    pipe(
      findUser(ports, userId, signal),
      TE.flatMap((user): Step<Profile> => {
        const isLocal = serverOf(userId) === ports.config.serverName;
        if (isLocal && user === undefined) return TE.left(refusal("UserUnknown"));
        if (isLocal && user?.blocksInvites === true) return TE.left(refusal("InvitesBlocked"));
        return TE.right(user?.profile ?? {});
      }),
    );

/**
 * Invites a known user: a second snapshot, now that the target is known, then the decision and the append on *its*
 * revision.
 */
export const inviteKnown =
  (ports: InvitePorts) =>
  (
    roomId: RoomId,
    requester: Requester,
    userId: UserId,
    details: InviteDetails,
    signal: AbortSignal | undefined,
  ): Step<Committed<InviteOutcome>> =>
    pipe(
      reachable(ports)(userId, signal),
      TE.flatMap((profile) =>
        commit(ports)(
          {
            roomId,
            reads: [...powerEntries(requester.userId), entry("m.room.member", userId)],
            decide: (state) => decide(state, requester, { _tag: "Bound", userId, profile, ...details }),
            events: (outcome) =>
              outcome._tag === "Invite" || outcome._tag === "ThirdPartyInvite" ? outcome.events : [],
          },
          signal,
        ),
      ),
      TE.tapIO((outcome) => () => {
        if (outcome._tag === "Invite")
          tell(ports.observe, { _tag: "InviteMade", roomId, sender: requester.userId, target: userId });
      }),
    );
