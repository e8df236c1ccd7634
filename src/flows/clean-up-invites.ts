import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { leftover } from "../invite/tidy.js";
import { readRoomId } from "./command.js";
import { readInvites } from "./room-invites.js";
import { type FlowOptions, type FlowResult, run } from "./run.js";
import { type Tidied, type TidyInvitesPorts, tidy } from "./tidy.js";

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
            TE.flatMap((invites) => tidy(ports)(roomId, invites, leftover, signal)),
          ),
        ),
      ),
      ports.observe,
      { flow: "cleanUpInvites" },
    );
