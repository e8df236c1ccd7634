import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { checkExchange, exchange } from "../invite/exchange.js";
import { defineFlow } from "./flow.js";
import { readRoomId } from "./steps/read-command.js";
import { decideRedemption, makeInvite } from "./steps/redeem-delivery.js";
import type { Problem } from "./steps/step.js";

/**
 * The inviting server must not look as if it were down because of what a third party, such as the invitee's server,
 * answered (D-101).
 */
const notDown = (problem: Problem): Problem =>
  problem.code === "AppendRefused" && (problem.status === 429 || problem.status >= 500)
    ? { ...problem, status: 424 }
    : problem;

/** Another server's request, as the host received it: it has verified the X-Matrix signature of `origin`. */
export interface ExchangeCommand {
  /** From the path. */
  readonly roomId: string;
  readonly origin: string;
  readonly body: unknown;
}

export const receiveExchange = defineFlow(
  "crypto",
  "rooms",
  "events",
  "identityServer",
  "invites",
  "clock",
)((context, command: ExchangeCommand) =>
  pipe(
    TE.fromEither(readRoomId(command.roomId)),
    TE.flatMapEither((roomId) => checkExchange(command.body, { roomId, origin: command.origin })),
    TE.flatMap((request) => decideRedemption(context, exchange, request)),
    TE.flatMap((redemption) => makeInvite(redemption)),
    TE.mapLeft(notDown),
  ),
);
