import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { checkExchange, decideExchange } from "../invite/exchange.js";
import type { RedeemOutcome } from "../invite/redeem.js";
import type { Ports } from "../ports.js";
import { readRoomId } from "./command.js";
import { configured } from "./config.js";
import { makeInvite, maxPairs, noteOutcome } from "./redeem-delivery.js";
import { type FlowOptions, type FlowResult, run } from "./run.js";
import type { Committed } from "./commit.js";

/** Another server's request, as the host received it: it has verified the X-Matrix signature of `origin`. */
export interface ReceiveExchange {
  /** From the path. */
  readonly roomId: string;
  readonly origin: string;
  readonly body: unknown;
}

export type ReceiveExchangePorts = Pick<
  Ports,
  "config" | "crypto" | "rooms" | "events" | "identityServer" | "invites" | "observe"
>;

/**
 * Receives `PUT /_matrix/federation/v1/exchange_third_party_invite/{roomId}`: checks it, asks
 * whether a key that signed is still valid, and makes the invite before it answers. Answer every `right`
 * with 200 and `{}`. What another server must not do is 403; 404 says that we are not in the room.
 *
 * @example
 * const result = await receiveExchange(ports)({ roomId, origin, body });
 */
export const receiveExchange =
  (ports: ReceiveExchangePorts) =>
  (command: ReceiveExchange, { signal }: FlowOptions = {}): FlowResult<Committed<RedeemOutcome>> =>
    run(
      pipe(
        configured(ports),
        TE.flatMapEither(() => readRoomId(command.roomId)),
        TE.flatMapEither((roomId) => checkExchange(command.body, { roomId, origin: command.origin })),
        TE.flatMap((request) =>
          pipe(
            makeInvite(ports)(
              request,
              (state, details) =>
                decideExchange(state, request, ports.config.serverName, ports.crypto, {
                  ...maxPairs(ports),
                  details,
                }),
              signal,
            ),
            TE.tap((outcome) => noteOutcome(ports)(request, outcome)),
          ),
        ),
      ),
      ports.observe,
      { flow: "receiveExchange" },
    );
