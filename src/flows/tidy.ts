import { isLeft } from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Requester } from "../invite/admit.js";
import { tokensOf } from "../invite/life.js";
import { revokeOwn } from "../invite/revoke.js";
import { type StandingInvite, standingInvites } from "../invite/standing.js";
import type { Untidy } from "../invite/tidy.js";
import { type RoomId, parseUserId, serverOf } from "../matrix/ids.js";
import type { RoomState } from "../matrix/room-state.js";
import type { Ports } from "../ports.js";
import { type FailureCode, type RefusalCode, refusal } from "../refusal.js";
import { emptyTokens } from "./empty-tokens.js";
import { type RoomInvites, redeemers, tokenEntries } from "./room-invites.js";
import { type Problem, type Step, tell } from "./run.js";

export type TidyInvitesPorts = Pick<Ports, "config" | "rooms" | "events" | "invites" | "clock" | "observe">;

/** An invite that should stand in the room no longer. */
export interface UntidyInvite {
  readonly token: string;
  readonly sender: string;
  readonly reason: Untidy;
}

/** What one call did, and what others would have to do. */
export interface Tidied {
  /** Tokens whose events were emptied. */
  readonly emptied: readonly string[];
  /** Invites whose events are not ours to empty: their sender is another server's, has left, or lacks the power. */
  readonly advisory: readonly (UntidyInvite & { readonly because: RefusalCode | FailureCode })[];
}

/** Why an invite should stand no longer, by the room as it is; `undefined` where it should. */
export type ReasonOf = (state: RoomState, invite: StandingInvite) => Untidy | undefined;

/** The invites of one sender that are untidy, with what makes them so. */
interface Task {
  readonly roomId: RoomId;
  readonly reasonOf: ReasonOf;
  readonly signal: AbortSignal | undefined;
}

type Found = StandingInvite & { readonly reason: Untidy };

const together = (all: readonly Tidied[]): Tidied => ({
  emptied: all.flatMap(({ emptied }) => emptied),
  advisory: all.flatMap(({ advisory }) => advisory),
});

const advise = (invites: readonly Found[], { code: because }: Problem): Tidied => ({
  emptied: [],
  advisory: invites.map(({ token, sender, reason }) => ({ token, sender, reason, because })),
});

/** What stands in the way of these events, and not of those of other senders. */
const isOnlyTheirs = ({ _tag, code }: Problem): boolean =>
  _tag === "Refusal" || code === "AppendRefused" || code === "AppendContended";

/** Events of one append: all of them go in together, and a room that is busy should not have to wait for hundreds. */
const perAppend = 50;

const inChunks = <T>(all: readonly T[], size: number): readonly (readonly T[])[] =>
  Array.from({ length: Math.ceil(all.length / size) }, (_, index) =>
    all.slice(index * size, (index + 1) * size),
  );

const bySender = (invites: readonly Found[]): ReadonlyMap<string, readonly Found[]> => {
  const groups = new Map<string, Found[]>();
  for (const invite of invites) {
    const theirs = groups.get(invite.sender) ?? [];
    // In place: a stranger may have sent tens of thousands.
    theirs.push(invite);
    groups.set(invite.sender, theirs);
  }
  return groups;
};

/** Empties some invites of one user, as far as the room that the events go onto still gives the reason. */
const emptyChunk =
  (ports: TidyInvitesPorts, task: Task) =>
  (requester: Requester, invites: readonly Found[]): Step<Tidied> => {
    const { roomId, reasonOf, signal } = task;
    const records = invites.flatMap(({ record }) => record ?? []);
    return pipe(
      emptyTokens(ports)(
        roomId,
        requester,
        invites.map(({ token }) => token),
        signal,
        (state) =>
          revokeOwn(
            state,
            requester,
            invites.filter((invite) => reasonOf(state, invite) !== undefined).map(({ token }) => token),
          ),
        [...redeemers(records), ...records.flatMap(({ life }) => tokenEntries(tokensOf(life)))],
      ),
      TE.map((outcome): Tidied => ({
        emptied: outcome._tag === "Revoke" ? outcome.events.map((event) => event.state_key) : [],
        advisory: [],
      })),
      TE.tapIO(({ emptied: { length: count } }) => () => {
        if (count > 0)
          tell(ports.observe, { _tag: "InvitesEmptied", roomId, sender: requester.userId, count });
      }),
      TE.orElse((problem): Step<Tidied> => {
        if (!isOnlyTheirs(problem)) return TE.left(problem);
        // One event that the host refuses must not keep the others: they are tried by halves.
        return problem.code === "AppendRefused" && invites.length > 1
          ? emptyChunks(ports, task)(requester, invites, Math.ceil(invites.length / 2))
          : TE.right(advise(invites, problem));
      }),
    );
  };

const emptyChunks =
  (ports: TidyInvitesPorts, task: Task) =>
  (requester: Requester, invites: readonly Found[], size: number): Step<Tidied> =>
    pipe(
      inChunks(invites, size),
      TE.traverseSeqArray((chunk) => emptyChunk(ports, task)(requester, chunk)),
      TE.map(together),
    );

/** Empties what one user has sent, in their name, with what they may do now. */
const emptyOf =
  (ports: TidyInvitesPorts, task: Task) =>
  ([sender, invites]: readonly [string, readonly Found[]]): Step<Tidied> => {
    const userId = parseUserId(sender);
    return isLeft(userId) || serverOf(userId.right) !== ports.config.serverName
      ? TE.right(advise(invites, refusal("SenderNotLocal")))
      : emptyChunks(ports, task)({ userId: userId.right }, invites, perAppend);
  };

/**
 * Empties the invites of a room for which there is a reason: each in the name of its own sender, if that user is ours,
 * joined and may invite. The others are reported.
 */
export const tidy =
  (ports: TidyInvitesPorts) =>
  (
    roomId: RoomId,
    { state, tokens, records }: RoomInvites,
    reasonOf: ReasonOf,
    signal: AbortSignal | undefined,
  ): Step<Tidied> => {
    const found = standingInvites(state, tokens, records).flatMap((invite): readonly Found[] => {
      const reason = reasonOf(state, invite);
      return reason === undefined ? [] : [{ ...invite, reason }];
    });
    return pipe(
      [...bySender(found)],
      TE.traverseSeqArray(emptyOf(ports, { roomId, reasonOf, signal })),
      TE.map(together),
    );
  };
