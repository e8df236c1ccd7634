import { isLeft } from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Requester } from "../invite/admit.js";
import { type InviteKey, type InviteRecord, tokensOf } from "../invite/life.js";
import { type StandingInvite, standingInvites } from "../invite/standing.js";
import { type Untidy, isExpired, isForgotten, leftover } from "../invite/tidy.js";
import { type RoomId, parseUserId, serverOf } from "../matrix/ids.js";
import type { Ports } from "../ports.js";
import { type FailureCode, type RefusalCode, refusal } from "../refusal.js";
import { readRoomId } from "./command.js";
import { emptyTokens } from "./empty-tokens.js";
import { again, move } from "./life.js";
import { type RoomInvites, readInvites } from "./room-invites.js";
import {
  type FlowOptions,
  type FlowResult,
  type Problem,
  type Step,
  ask,
  bestEffort,
  run,
  tell,
} from "./run.js";

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

const together = (all: readonly Tidied[]): Tidied => ({
  emptied: all.flatMap(({ emptied }) => emptied),
  advisory: all.flatMap(({ advisory }) => advisory),
});

const advise = (invites: readonly UntidyInvite[], { code: because }: Problem): Tidied => ({
  emptied: [],
  advisory: invites.map((invite) => ({ ...invite, because })),
});

/** What stands in the way of these events, and not of those of other senders. */
const isOnlyTheirs = ({ _tag, code }: Problem): boolean =>
  _tag === "Refusal" || code === "AppendRefused" || code === "AppendContended";

/** Events of one append: all of them go in together, and a room that is busy should not have to wait for hundreds. */
const perAppend = 50;

const inChunks = <T>(all: readonly T[]): readonly (readonly T[])[] =>
  Array.from({ length: Math.ceil(all.length / perAppend) }, (_, index) =>
    all.slice(index * perAppend, (index + 1) * perAppend),
  );

const bySender = (invites: readonly UntidyInvite[]): ReadonlyMap<string, readonly UntidyInvite[]> => {
  const groups = new Map<string, UntidyInvite[]>();
  for (const invite of invites) {
    const theirs = groups.get(invite.sender) ?? [];
    // In place: a stranger may have sent tens of thousands.
    theirs.push(invite);
    groups.set(invite.sender, theirs);
  }
  return groups;
};

const emptyChunk =
  (ports: TidyInvitesPorts) =>
  (
    roomId: RoomId,
    requester: Requester,
    invites: readonly UntidyInvite[],
    signal: AbortSignal | undefined,
  ): Step<Tidied> =>
    pipe(
      emptyTokens(ports)(
        roomId,
        requester,
        invites.map(({ token }) => token),
        signal,
      ),
      TE.map((outcome): Tidied => ({
        emptied: outcome._tag === "Revoke" ? outcome.events.map((event) => event.state_key) : [],
        advisory: [],
      })),
      TE.tapIO(({ emptied: { length: count } }) => () => {
        if (count > 0)
          tell(ports.observe, { _tag: "InvitesEmptied", roomId, sender: requester.userId, count });
      }),
      TE.orElse((problem) => (isOnlyTheirs(problem) ? TE.right(advise(invites, problem)) : TE.left(problem))),
    );

/** Empties what one user has sent, in their name, with what they may do now. */
const emptyOf =
  (ports: TidyInvitesPorts) =>
  (
    roomId: RoomId,
    [sender, invites]: readonly [string, readonly UntidyInvite[]],
    signal: AbortSignal | undefined,
  ): Step<Tidied> => {
    const userId = parseUserId(sender);
    if (isLeft(userId) || serverOf(userId.right) !== ports.config.serverName)
      return TE.right(advise(invites, refusal("SenderNotLocal")));
    return pipe(
      inChunks(invites),
      TE.traverseSeqArray((chunk) => emptyChunk(ports)(roomId, { userId: userId.right }, chunk, signal)),
      TE.map(together),
    );
  };

const empty =
  (ports: TidyInvitesPorts) =>
  (roomId: RoomId, invites: readonly UntidyInvite[], signal: AbortSignal | undefined): Step<Tidied> =>
    pipe(
      [...bySender(invites)],
      TE.traverseSeqArray((theirs) => emptyOf(ports)(roomId, theirs, signal)),
      TE.map(together),
    );

const untidy = (
  { state, tokens, records }: RoomInvites,
  reasonOf: (invite: StandingInvite) => Untidy | undefined,
): readonly UntidyInvite[] =>
  standingInvites(state, tokens, records).flatMap((invite): readonly UntidyInvite[] => {
    const reason = reasonOf(invite);
    return reason === undefined ? [] : [{ token: invite.token, sender: invite.sender, reason }];
  });

/**
 * Empties the events of invites that are over and stand all the same: of one that was redeemed, once its user has
 * joined (or left again: the proof would bring them back); of an earlier token that a resend has replaced; of an invite
 * that was revoked or has expired while its append was under way. Only of this server's own invites, in the name of
 * their sender if that user is joined and may invite; the others are reported. For the host's scheduler; twice is as
 * good as once. Never rejects.
 *
 * @example
 * const tidied = await cleanUpInvites(ports)({ roomId }); // right({ emptied: ["…"], advisory: [] })
 */
export const cleanUpInvites =
  (ports: TidyInvitesPorts) =>
  (command: { readonly roomId: string }, { signal }: FlowOptions = {}): FlowResult<Tidied> =>
    run(
      pipe(
        TE.fromEither(readRoomId(command.roomId)),
        TE.flatMap((roomId) =>
          pipe(
            readInvites(ports)(roomId, [], signal),
            TE.flatMap((invites) =>
              empty(ports)(
                roomId,
                untidy(invites, (invite) => leftover(invites.state, invite)),
                signal,
              ),
            ),
          ),
        ),
      ),
      ports.observe,
      { flow: "cleanUpInvites" },
    );

/** Notes that an invite has expired, unless it has moved on since it was looked at. */
const noteExpired =
  (ports: TidyInvitesPorts) =>
  (key: InviteKey, before: number): Step<void> =>
    bestEffort(
      ports.observe,
      again(
        pipe(
          ask(() => ports.invites.find(key, {})),
          TE.flatMap((stored): Step<unknown> =>
            stored !== undefined && isForgotten(stored.value, before)
              ? move(ports)(stored, { _tag: "Expire" })
              : TE.right(undefined),
          ),
        ),
      ),
    );

/** Notes the end of our invites that are old, but for those that still stand in the room. */
const noteAllExpired =
  (ports: TidyInvitesPorts) =>
  ({ records }: RoomInvites, { advisory }: Tidied, before: number): Step<unknown> => {
    const left = new Set(advisory.map(({ sender, token }) => `${sender} ${token}`));
    const stands = ({ life, sender }: InviteRecord): boolean =>
      tokensOf(life).some((token) => left.has(`${sender} ${token}`));
    return pipe(
      records.filter((record) => isForgotten(record, before) && !stands(record)),
      TE.traverseSeqArray(({ key }) => noteExpired(ports)(key, before)),
    );
  };

export interface ExpireInvites {
  readonly roomId: string;
  /** How long an invite may wait for its user, in milliseconds. */
  readonly olderThanMs: number;
}

/**
 * Ends the invites of a room that nobody has redeemed in a time: their events are emptied, and ours are noted as
 * expired; a proof that comes later finds no key. Acts as `cleanUpInvites` does, and reports what it may not empty: how
 * old another server's invite is, that server says. Never rejects.
 *
 * @example
 * await expireInvites(ports)({ roomId, olderThanMs: 30 * 24 * 3_600_000 });
 */
export const expireInvites =
  (ports: TidyInvitesPorts) =>
  (command: ExpireInvites, { signal }: FlowOptions = {}): FlowResult<Tidied> =>
    run(
      pipe(
        TE.fromEither(readRoomId(command.roomId)),
        TE.flatMap((roomId) => {
          const before = ports.clock.now() - command.olderThanMs;
          return pipe(
            readInvites(ports)(roomId, [], signal),
            TE.bindTo("invites"),
            TE.bind("tidied", ({ invites }) =>
              empty(ports)(
                roomId,
                untidy(invites, (invite) => (isExpired(invite, before) ? "Expired" : undefined)),
                signal,
              ),
            ),
            TE.tap(({ invites, tidied }) => noteAllExpired(ports)(invites, tidied, before)),
            TE.map(({ tidied }) => tidied),
          );
        }),
      ),
      ports.observe,
      { flow: "expireInvites" },
    );
