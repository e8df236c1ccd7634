import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { RevokeOutcome } from "../invite/revoke.js";
import type { Ports } from "../ports.js";
import { type RequesterCommand, outsideIsNotJoined, readCommand } from "./command.js";
import type { Committed } from "./commit.js";
import { emptyToken } from "./empty-token.js";
import { noteEnd } from "./life.js";
import { type FlowOptions, type FlowResult, run, tell } from "./run.js";

export interface RevokeInvite {
  readonly roomId: string;
  readonly requester: RequesterCommand;
  /** The `state_key` of the room's `m.room.third_party_invite`. */
  readonly token: string;
}

export type RevokeInvitePorts = Pick<Ports, "rooms" | "events" | "invites" | "observe">;

/**
 * Revokes a pending third-party invite (REV-2): its event is emptied, and a proof that comes later finds no key.
 * Whoever may invite may revoke. Never rejects.
 *
 * @example
 * await revokeInvite(ports)({ roomId, requester: { userId }, token });
 */
export const revokeInvite =
  (ports: RevokeInvitePorts) =>
  (command: RevokeInvite, { signal }: FlowOptions = {}): FlowResult<Committed<RevokeOutcome>> => {
    const { token } = command;
    return run(
      pipe(
        TE.fromEither(readCommand(command)),
        TE.flatMap(({ roomId, requester }) =>
          pipe(
            emptyToken(ports)(roomId, requester, token, signal),
            TE.tap(() => noteEnd(ports, roomId, token, { _tag: "Revoke" })),
            TE.tapIO((outcome) => () => {
              if (outcome._tag === "Revoke")
                tell(ports.observe, { _tag: "InviteRevoked", roomId, sender: requester.userId });
            }),
          ),
        ),
        TE.mapLeft(outsideIsNotJoined),
      ),
      ports.observe,
      { flow: "revokeInvite" },
    );
  };
