import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Requester } from "../invite/admit.js";
import { inviteKey } from "../invite/invite-life.js";
import { type Addressee, parseAddressee } from "../invite/parse-invite-request.js";
import { type RevokeInviteOutcome, revoke } from "../invite/revoke.js";
import type { RoomId } from "../matrix/ids.js";
import { refusal } from "../refusal.js";
import { defineFlow } from "./flow.js";
import { type Committed, commit } from "./steps/decide.js";
import { bestEffort, notify } from "./steps/notify.js";
import { type RequesterCommand, outsideIsNotJoined, readCommand } from "./steps/read-command.js";
import type { Step } from "./steps/step.js";
import { type RevokeContext, revokeStored } from "./steps/revoke-stored.js";
import { noteEnd } from "./steps/transition.js";

/** Which invite to revoke: any, by its token in the room, or one that the requester made, by whom it was for. */
export type RevokeInviteCommand = {
  readonly roomId: string;
  readonly requester: RequesterCommand;
} & (
  | {
      /** The `state_key` of the room's `m.room.third_party_invite`. */
      readonly token: string;
    }
  | {
      /** The parsed JSON of a body with `id_server`, `medium` and `address`, unchecked. */
      readonly body: unknown;
    }
);

interface Revoking {
  readonly roomId: RoomId;
  readonly requester: Requester;
}

const revokeToken = (
  context: RevokeContext,
  { roomId, requester }: Revoking,
  token: string,
): Step<Committed<RevokeInviteOutcome>> =>
  pipe(
    commit(context, { roomId, decision: revoke, command: { requester, token } }),
    // It is revoked, and is not undone if the note is lost.
    TE.tap(() => bestEffort(context, noteEnd(context, { _tag: "Revoke", roomId, token }))),
  );

/** Revokes what the requester made for somebody, in whatever state it is. */
const revokeAddressee = (
  context: RevokeContext,
  { roomId, requester }: Revoking,
  { idServer, threepid }: Addressee,
): Step<Committed<RevokeInviteOutcome>> => {
  const { crypto, config } = context.ports;
  const sender = requester.userId;
  const key = inviteKey(crypto, config.addressKey, { roomId, sender, idServer, threepid });
  return revokeStored(context, { roomId, requester }, key);
};

const revoked = (
  context: RevokeContext,
  revoking: Revoking,
  command: RevokeInviteCommand,
): Step<Committed<RevokeInviteOutcome>> => {
  if ("token" in command && typeof command.token === "string")
    return revokeToken(context, revoking, command.token);
  // Neither may be there in a language without types.
  if (!("body" in command)) return TE.left(refusal("FieldMissing", { detail: "token or body" }));
  return pipe(
    TE.fromEither(parseAddressee(command.body)),
    TE.flatMap((addressee) => revokeAddressee(context, revoking, addressee)),
  );
};

export const revokeInvite = defineFlow(
  "crypto",
  "rooms",
  "events",
  "invites",
)((context, command: RevokeInviteCommand) =>
  pipe(
    TE.fromEither(readCommand(command)),
    TE.flatMap((revoking) =>
      pipe(
        revoked(context, revoking, command),
        TE.tapIO((outcome) => () => {
          if (outcome._tag === "Revoke")
            notify(context, {
              _tag: "InviteRevoked",
              roomId: revoking.roomId,
              sender: revoking.requester.userId,
            });
        }),
      ),
    ),
    TE.mapLeft(outsideIsNotJoined),
  ),
);
