import { isLeft } from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Requester } from "../../invite/admit.js";
import { type Tidying, type Untidy, emptyUntidy, untidyReason } from "../../invite/leftover.js";
import { type RoomInvite, roomInvites } from "../../invite/room-invite.js";
import { type RoomId, parseUserId, serverOf } from "../../matrix/ids.js";
import { type FailureCode, type RefusalCode, refusal } from "../../refusal.js";
import type { Context } from "./context.js";
import { commit } from "./decide.js";
import { notify } from "./notify.js";
import type { RoomInvites } from "./read-room-invites.js";
import type { Problem, Step } from "./step.js";

export type TidyNeeds = "crypto" | "rooms" | "events" | "invites";

/** An invite that should be pending in the room no longer. */
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

/** Which invites of which room are to be emptied. */
interface Task {
  readonly roomId: RoomId;
  readonly tidying: Tidying;
}

type Found = RoomInvite & { readonly reason: Untidy };

/** Some invites of one user. */
interface OfSender {
  readonly requester: Requester;
  readonly invites: readonly Found[];
}

const together = (all: readonly Tidied[]): Tidied => ({
  emptied: all.flatMap(({ emptied }) => emptied),
  advisory: all.flatMap(({ advisory }) => advisory),
});

const advise = (invites: readonly Found[], { code: because }: Problem): Tidied => ({
  emptied: [],
  advisory: invites.map(({ token, sender, reason }) => ({ token, sender, reason, because })),
});

/** What prevents these events, and not those of other senders. */
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
const emptyChunk = (context: Context<TidyNeeds>, task: Task, chunk: OfSender): Step<Tidied> => {
  const { roomId, tidying } = task;
  const { requester, invites } = chunk;
  return pipe(
    commit(context, { roomId, decision: emptyUntidy, command: { requester, invites, tidying } }),
    TE.map(({ events }): Tidied => ({ emptied: events.map((event) => event.state_key), advisory: [] })),
    TE.tapIO(({ emptied: { length: count } }) => () => {
      if (count > 0) notify(context, { _tag: "InvitesEmptied", roomId, sender: requester.userId, count });
    }),
    TE.orElse((problem): Step<Tidied> => {
      if (!isOnlyTheirs(problem)) return TE.left(problem);
      // One event that the host refuses must not keep the others: they are tried by halves.
      return problem.code === "AppendRefused" && invites.length > 1
        ? emptyChunks(context, task, chunk, Math.ceil(invites.length / 2))
        : TE.right(advise(invites, problem));
    }),
  );
};

const emptyChunks = (
  context: Context<TidyNeeds>,
  task: Task,
  { requester, invites }: OfSender,
  size: number,
): Step<Tidied> =>
  pipe(
    inChunks(invites, size),
    TE.traverseSeqArray((chunk) => emptyChunk(context, task, { requester, invites: chunk })),
    TE.map(together),
  );

/** Empties what one user has sent, in their name, with what they may do now. */
const emptyOf =
  (context: Context<TidyNeeds>, task: Task) =>
  ([sender, invites]: readonly [string, readonly Found[]]): Step<Tidied> => {
    const userId = parseUserId(sender);
    return isLeft(userId) || serverOf(userId.right) !== context.ports.config.serverName
      ? TE.right(advise(invites, refusal("SenderNotLocal")))
      : emptyChunks(context, task, { requester: { userId: userId.right }, invites }, perAppend);
  };

/**
 * Empties the invites of a room for which there is a reason: each in the name of its own sender, if that user is ours,
 * joined and may invite. The others are reported.
 */
export const tidyRoom = (
  context: Context<TidyNeeds>,
  task: Task,
  { state, tokens, records }: RoomInvites,
): Step<Tidied> => {
  const found = roomInvites(state, tokens, records).flatMap((invite): readonly Found[] => {
    const reason = untidyReason(state, invite, task.tidying);
    return reason === undefined ? [] : [{ ...invite, reason }];
  });
  return pipe([...bySender(found)], TE.traverseSeqArray(emptyOf(context, task)), TE.map(together));
};
