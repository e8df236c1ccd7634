import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { InviteOutcome } from "../invite/decide.js";
import type { UserInvite } from "../invite/form.js";
import type { Ports } from "../ports.js";
import { type RequesterCommand, outsideIsNotJoined, readCommand } from "./command.js";
import { admitted, inviteKnown } from "./invite-user.js";
import { type FlowOptions, type FlowResult, run } from "./run.js";
import type { Committed } from "./commit.js";

/** What `inviteByUserId` is asked to do. */
export interface InviteByUserId {
  readonly roomId: string;
  readonly requester: RequesterCommand;
  /** What `parseInviteRequest` read. */
  readonly invite: UserInvite;
  readonly isDirect?: boolean;
}

export type InviteByUserIdPorts = Pick<Ports, "config" | "rooms" | "events" | "users" | "policy" | "observe">;

/**
 * Invites a known user: the other form of `POST /rooms/{roomId}/invite`, by the same decision. Never rejects.
 *
 * @example
 * await inviteByUserId(ports)({ roomId, requester: { userId }, invite: { _tag: "ByUserId", userId: bob } });
 */
export const inviteByUserId =
  (ports: InviteByUserIdPorts) =>
  (command: InviteByUserId, { signal }: FlowOptions = {}): FlowResult<Committed<InviteOutcome>> => {
    const { userId, reason } = command.invite;
    const details = {
      ...(reason === undefined ? {} : { reason }),
      ...(command.isDirect === undefined ? {} : { isDirect: command.isDirect }),
    };
    return run(
      pipe(
        TE.fromEither(readCommand(command)),
        TE.tap(({ roomId, requester }) =>
          admitted(ports)(roomId, requester, { _tag: "ByUserId", userId }, [], signal),
        ),
        TE.flatMap(({ roomId, requester }) => inviteKnown(ports)(roomId, requester, userId, details, signal)),
        TE.mapLeft(outsideIsNotJoined),
      ),
      ports.observe,
      { flow: "inviteByUserId" },
    );
  };
