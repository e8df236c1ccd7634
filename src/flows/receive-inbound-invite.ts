import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { type InboundInvite, checkInboundInvite } from "../invite/inbound-invite.js";
import type { Ports } from "../ports.js";
import { refusal } from "../refusal.js";
import { readRoomId } from "./command.js";
import { configured } from "./config.js";
import { type FlowOptions, type FlowResult, type Step, ask, bestEffort, run } from "./run.js";
import { findUser } from "./users.js";

/** An invite from another server; the host has verified the request's signature and the event's. */
export interface ReceiveInboundInvite {
  /** From the path. */
  readonly roomId: string;
  readonly origin: string;
  /** The body of `PUT /_matrix/federation/v2/invite/{roomId}/{eventId}`. */
  readonly body: unknown;
}

export type ReceiveInboundInvitePorts = Pick<
  Ports,
  "config" | "crypto" | "redemptions" | "users" | "clock" | "observe"
>;

const acceptable =
  (ports: ReceiveInboundInvitePorts) =>
  (invite: InboundInvite, signal: AbortSignal | undefined): Step<void> =>
    pipe(
      findUser(ports, invite.target, signal),
      TE.flatMap((user): Step<void> => {
        if (user === undefined) return TE.left(refusal("UserUnknown"));
        return user.blocksInvites === true ? TE.left(refusal("InvitesBlocked")) : TE.right(undefined);
      }),
    );

/**
 * How long the inviter's server may take to append what it has sent us for our signature. Should it lose our answer, the
 * invite never comes into the room: so what we owe for it waits, and then asks once more. For an invite that was made
 * that is answered with 200 and nothing else.
 */
const confirmAfterMs = 5 * 60_000;

/**
 * What the invitee's server does with an incoming `/invite` before it signs it: checks it
 * without having the room, and puts off what it still owes for the token, since its end is near. It may arrive while our own exchange
 * request still waits; nothing here waits for that.
 *
 * @example
 * const result = await receiveInboundInvite(ports)({ roomId, origin, body }); // right({ target, token, … })
 */
export const receiveInboundInvite =
  (ports: ReceiveInboundInvitePorts) =>
  (command: ReceiveInboundInvite, { signal }: FlowOptions = {}): FlowResult<InboundInvite> =>
    run(
      pipe(
        configured(ports),
        TE.flatMapEither(() => readRoomId(command.roomId)),
        TE.flatMapEither((roomId) =>
          checkInboundInvite(
            command.body,
            { roomId, origin: command.origin, serverName: ports.config.serverName },
            ports.crypto,
          ),
        ),
        TE.tap((invite) => acceptable(ports)(invite, signal)),
        TE.tap(({ roomId, sender, target, token }) =>
          token === undefined
            ? TE.right(undefined)
            : bestEffort(
                ports.observe,
                ask("redemptions.postpone", () =>
                  ports.redemptions.postpone(
                    { roomId, sender, token, mxid: target },
                    ports.clock.now() + confirmAfterMs,
                    {},
                  ),
                ),
              ),
        ),
      ),
      ports.observe,
      { flow: "receiveInboundInvite" },
    );
