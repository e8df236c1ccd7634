import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { type InboundInvite, checkInboundInvite } from "../invite/inbound-invite.js";
import { announcement } from "../invite/redemption.js";
import type { KnownKeys } from "../matrix/check-pdu.js";
import { defineFlow } from "./flow.js";
import { callPort } from "./steps/call-port.js";
import { type Context, uncancelled } from "./steps/context.js";
import { findInvitee } from "./steps/find-user.js";
import { bestEffort } from "./steps/notify.js";
import { readRoomId } from "./steps/read-command.js";
import type { Step } from "./steps/step.js";

/** An invite from another server; the host has verified the request's signature and the event's. */
export interface InboundInviteCommand {
  /** From the path. */
  readonly roomId: string;
  readonly origin: string;
  /** The body of `PUT /_matrix/federation/v2/invite/{roomId}/{eventId}`, or of `/v1/invite`. */
  readonly body: unknown;
  /** With it the signatures in `invite_room_state` are verified, those of keys that are known. */
  readonly keyOf?: KnownKeys["keyOf"];
}

/**
 * Notes that the inviter's server has sent the invite. Should it lose our answer, the invite never comes into the room: so
 * what we owe for it waits a while, and then asks once more. For an invite that was made that is answered with 200 and
 * nothing else.
 */
const announce = (
  context: Context<"crypto" | "redemptions" | "clock">,
  { roomId, sender, target, token }: InboundInvite,
): Step<void> =>
  token === undefined
    ? TE.right(undefined)
    : bestEffort(
        context,
        callPort(uncancelled(context), "redemptions", "put", [
          announcement(
            context.ports.crypto,
            { roomId, sender, token, mxid: target },
            context.ports.clock.now(),
          ),
        ]).answer,
      );

export const receiveInboundInvite = defineFlow(
  "crypto",
  "redemptions",
  "users",
  "clock",
)((context, command: InboundInviteCommand) =>
  pipe(
    TE.fromEither(readRoomId(command.roomId)),
    TE.flatMapEither((roomId) => {
      const { origin, keyOf, body } = command;
      const { clock, config, crypto } = context.ports;
      const { serverName, strictInviteState: strict } = config;
      const keys = keyOf === undefined ? undefined : { keyOf, now: clock.now() };
      return checkInboundInvite(body, { roomId, origin, serverName, keys, strict }, crypto);
    }),
    TE.tap(({ roomId, target, sender, token = "" }) => {
      const isWanted = context.memory.brought.has(roomId, token, target);
      return findInvitee(context, { userId: target, inviter: sender }, { isWanted });
    }),
    TE.tap((invite) => announce(context, invite)),
  ),
);
