import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { type InviteRecord, type Transition, advance, endsBy } from "../../invite/invite-life.js";
import type { RoomId, UserId } from "../../matrix/ids.js";
import type { Marked } from "../../ports.js";
import { portBroken, refusal } from "../../refusal.js";
import { asList, callPort } from "./call-port.js";
import { type Context, uncancelled } from "./context.js";
import type { Step } from "./step.js";

type StoredRecord = Marked<InviteRecord>;

/** Stores an invite in place of what was read. Whoever loses the race for it is told that the same invite is being made. */
export const replaceRecord = (
  context: Context<"invites">,
  mark: StoredRecord["mark"],
  next: InviteRecord,
): Step<StoredRecord> =>
  callPort(context, "invites", "replace", next, mark).read((answer): Step<StoredRecord> => {
    switch (answer._tag) {
      case "Replaced":
        return TE.right({ value: next, mark: answer.mark });
      case "Stale":
        return TE.left(refusal("InviteInProgress", { retryAfterMs: 2_000 }));
    }
  });

/**
 * Takes a stored invite to its next state. A transition that does not fit the state is one that only a broken storage can
 * bring about.
 */
export const transition = (
  context: Context<"invites">,
  { value, mark }: StoredRecord,
  step: Transition,
): Step<StoredRecord> => {
  const life = advance(value.life, step);
  if (life === undefined) return TE.left(portBroken("invites.replace"));
  return replaceRecord(uncancelled(context), mark, { ...value, life });
};

/** Losing the race for one invite five times in a row is no accident. */
const maxRounds = 5;

/** Does something that may lose the race for an invite, and does it again from the start where it has. */
export const retryLostRace = <A>(attempt: Step<A>, rounds: number = maxRounds): Step<A> =>
  pipe(
    attempt,
    TE.orElse((problem) =>
      problem.code === "InviteInProgress" && rounds > 1
        ? retryLostRace(attempt, rounds - 1)
        : TE.left(problem),
    ),
  );

/** What has ended: an invite, by one of its tokens; a redemption ends its sender's own only. */
export type End = { readonly roomId: RoomId; readonly token: string } & (
  { readonly _tag: "Redeem"; readonly by: UserId; readonly sender: string } | { readonly _tag: "Revoke" }
);

const isEndOf = ({ life, sender }: InviteRecord, end: End): boolean =>
  endsBy(life, end.token, end._tag) && (end._tag === "Revoke" || end.sender === sender);

/** This server's invites with a token. */
export const findByToken = (
  context: Context<"invites">,
  roomId: RoomId,
  token: string,
): Step<readonly StoredRecord[]> => callPort(context, "invites", "findByToken", roomId, token).read(asList);

/**
 * Notes what the room shows already: the end of the invites of ours that the token is of; whether there were any. The
 * records that the caller has found may be given; they are looked up again where one of them has changed.
 */
export const noteEnd = (
  context: Context<"invites">,
  end: End,
  found?: readonly StoredRecord[],
): Step<boolean> => {
  // Kept over the rounds: what one of them has noted the next does not find.
  let noted = false;
  let known = found;
  return retryLostRace(
    pipe(
      // Only the first round uses what the caller has found.
      TE.fromIO(() => {
        const given = known;
        known = undefined;
        return given;
      }),
      TE.flatMap((given) =>
        given === undefined ? findByToken(context, end.roomId, end.token) : TE.right(given),
      ),
      TE.map((records) => records.filter(({ value }) => isEndOf(value, end))),
      TE.flatMap(
        TE.traverseSeqArray((stored) =>
          pipe(
            transition(context, stored, end),
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
