import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { exchangeBody } from "../../invite/exchange.js";
import { exchangeVerdict } from "../../invite/exchange-answer.js";
import type { Delivery } from "../../invite/onbind.js";
import type { ServerName } from "../../matrix/ids.js";
import type { ExchangeAnswer } from "../../ports.js";
import { failure, refusal } from "../../refusal.js";
import { callPort } from "./call-port.js";
import type { Context } from "./context.js";
import type { Problem, Step } from "./step.js";

type ExchangeContext = Context<"federation" | "clock">;

/** How long a server may take for one exchange. */
const timeoutMs = 30_000;

const backedOff = (until: number, now: number): Problem =>
  failure("ServerBackedOff", { retryAfterMs: until - now });

/** What a server's answer says of it and of the invite, and whether somebody else may make the invite. */
const problemOf = (
  { ports: { clock }, memory: { servers } }: ExchangeContext,
  destination: ServerName,
  answer: Exclude<ExchangeAnswer, { readonly _tag: "Accepted" }>,
): { readonly problem: Problem; readonly isFinal: boolean } | undefined => {
  const backOff = (): Problem => {
    const now = clock.now();
    return backedOff(servers.down(destination, now, answer.retryAfterMs), now);
  };
  switch (answer._tag) {
    case "Unreachable":
      return { problem: backOff(), isFinal: false };
    case "Refused": {
      const { _tag, errcode = "M_UNKNOWN", retryAfterMs, ...rest } = answer;
      const given = { ...rest, errcode };
      const verdict = exchangeVerdict(answer);
      if (verdict === "Down") return { problem: backOff(), isFinal: false };
      if (verdict === "Unclear") {
        backOff();
        // Somebody has forbidden it: then nobody else makes it.
        return { problem: refusal("ExchangeUnclear", { answer: given }), isFinal: answer.status === 403 };
      }
      servers.up(destination);
      switch (verdict) {
        case "Failed":
          return { problem: failure("ExchangeUnreachable"), isFinal: false };
        case "NotFound":
          return { problem: refusal("ExchangeNotFound"), isFinal: false };
        case "Refused":
          return { problem: refusal("ExchangeRefused", { answer: given }), isFinal: true };
      }
    }
  }
};

/**
 * Asks the inviter's server to make the invite. A server that is slow, down, or answers what no homeserver does is asked
 * nothing for a while, whatever the invite. Where it does not make the invite, and has not refused it, `ourselves` does if
 * we can.
 */
export const askForExchange = <A>(
  context: ExchangeContext,
  delivery: Delivery,
  { destination, ourselves }: { readonly destination: ServerName; readonly ourselves: Step<A> | undefined },
): Step<A | "Exchanged"> => {
  const { clock } = context.ports;
  const { servers } = context.memory;
  const request = { destination, roomId: delivery.roomId, body: exchangeBody(delivery), timeoutMs };
  const ask = callPort(context, "federation", "exchangeThirdPartyInvite", request).read(
    (answer): Step<A | "Exchanged"> | undefined => {
      if (answer._tag === "Accepted") {
        servers.up(destination);
        return TE.right("Exchanged");
      }
      const read = problemOf(context, destination, answer);
      if (read === undefined) return undefined;
      return read.isFinal || ourselves === undefined ? TE.left(read.problem) : ourselves;
    },
  );
  return pipe(
    TE.fromIO(() => clock.now()),
    TE.flatMap((now) => {
      const until = servers.until(destination, now);
      return until === undefined ? ask : (ourselves ?? TE.left(backedOff(until, now)));
    }),
  );
};
