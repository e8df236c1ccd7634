import { isRight } from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { hasEnded } from "../invite/invite-life.js";
import type { RoomId, UserId } from "../matrix/ids.js";
import type { InviteQuery } from "../ports.js";
import type { FailureCode, RefusalCode } from "../refusal.js";
import { defineFlow } from "./flow.js";
import { asList, callPort } from "./steps/call-port.js";
import { type FindBy, nextPage, readFindBy } from "./steps/find-by.js";
import { notify, run } from "./steps/notify.js";
import { type RevokeContext, revokeStored } from "./steps/revoke-stored.js";
import type { Step } from "./steps/step.js";

/** What became of the invites that a call was to revoke. */
export interface RevokedInvites {
  readonly revoked: number;
  /** Those that their own sender cannot revoke, such as one who has left the room. */
  readonly refused: readonly {
    readonly roomId: RoomId;
    readonly sender: UserId;
    readonly because: RefusalCode | FailureCode;
  }[];
}

const perPage = 100;

/** Revokes one page of invites, each in the name of its own sender; where the next page begins. */
const revokePage = (
  context: RevokeContext,
  query: InviteQuery,
): Step<RevokedInvites & { readonly next: InviteQuery["after"] }> =>
  pipe(
    callPort(context, "invites", "list", query).read(asList),
    TE.flatMap((page) =>
      pipe(
        page.filter(({ value: { life } }) => !hasEnded(life)),
        TE.traverseSeqArray(({ value: { roomId, sender, key } }) =>
          pipe(
            // Run apart: one that is refused does not stop the others.
            TE.fromTask(() =>
              run(context, revokeStored(context, { roomId, requester: { userId: sender } }, key), {
                flow: "revokeAllInvites",
                roomId,
                userId: sender,
              }),
            ),
            TE.tapIO((result) => () => {
              if (isRight(result)) notify(context, { _tag: "InviteRevoked", roomId, sender });
            }),
            TE.map((result) => ({ roomId, sender, result })),
          ),
        ),
        TE.map((results) => ({
          revoked: results.filter(({ result }) => isRight(result)).length,
          refused: results.flatMap(({ roomId, sender, result }) =>
            isRight(result) ? [] : [{ roomId, sender, because: result.left.code }],
          ),
          next: nextPage(page, perPage),
        })),
      ),
    ),
  );

const revokeFrom = (context: RevokeContext, query: InviteQuery): Step<RevokedInvites> =>
  pipe(
    revokePage(context, query),
    TE.flatMap(({ next, ...page }) =>
      next === undefined
        ? TE.right(page)
        : pipe(
            revokeFrom(context, { ...query, after: next }),
            TE.map((rest) => ({
              revoked: page.revoked + rest.revoked,
              refused: [...page.refused, ...rest.refused],
            })),
          ),
    ),
  );

export const revokeAllInvites = defineFlow(
  "crypto",
  "rooms",
  "events",
  "invites",
)((context, { by }: { readonly by: FindBy }) =>
  pipe(
    TE.fromEither(readFindBy(context, by)),
    TE.flatMap((query) => revokeFrom(context, { by: query, limit: perPage })),
  ),
);
