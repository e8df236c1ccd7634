import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { checkExchange, exchange } from "../invite/exchange.js";
import { defineFlow } from "./flow.js";
import { readRoomId } from "./steps/read-command.js";
import { decideRedemption, makeInvite } from "./steps/redeem-delivery.js";

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
)((context, command: ExchangeCommand) =>
  pipe(
    TE.fromEither(readRoomId(command.roomId)),
    TE.flatMapEither((roomId) => checkExchange(command.body, { roomId, origin: command.origin })),
    TE.flatMap((request) => decideRedemption(context, exchange, request)),
    TE.flatMap((redemption) => makeInvite(redemption)),
  ),
);
