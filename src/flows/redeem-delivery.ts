import { type Either, isLeft } from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { InviteDetails } from "../invite/decide.js";
import { exchangeBody } from "../invite/exchange.js";
import type { InviteRecord } from "../invite/life.js";
import type { Delivery } from "../invite/onbind.js";
import { type RedeemOutcome, redeem } from "../invite/redeem.js";
import { type StateEntry, entry } from "../matrix/event.js";
import { type ServerName, type UserId, parseUserId, serverOf } from "../matrix/ids.js";
import { type RoomState, stateEvent } from "../matrix/room-state.js";
import type { Ports, Stored } from "../ports.js";
import { type Refusal, failure, refusal } from "../refusal.js";
import { type Committed, commit, look } from "./commit.js";
import { validity } from "./key-validity.js";
import { noteEnd } from "./life.js";
import { type Problem, type Step, answered, ask, askList, tell } from "./run.js";

export type RedeemPorts = Pick<
  Ports,
  "config" | "crypto" | "rooms" | "events" | "identityServer" | "invites" | "federation" | "observe"
>;

/** How a proof came to its invite. */
export type Redeemed = "Redeemed" | "Exchanged" | "AlreadyInvited" | "AlreadyJoined";

const redeemEntries = (mxid: UserId, token: string): readonly StateEntry[] => [
  entry("m.room.create"),
  entry("m.room.member", mxid),
  entry("m.room.third_party_invite", token),
];

/** What was said when the invite was asked for, by whoever sent it; of another server's invites we know nothing. */
const detailsIn = (
  found: readonly Stored<InviteRecord>[],
  state: RoomState,
  token: string,
): InviteDetails => {
  const sender = stateEvent(state, "m.room.third_party_invite", token)?.sender;
  return found.find(({ value }) => value.sender === sender)?.value.details ?? {};
};

/**
 * Notes the end of an invite of ours. Also where the event is there already: whoever made it may have died before the
 * note. Of somebody who is joined nothing is known; no proof was asked of them.
 */
export const noteOutcome =
  (ports: Pick<Ports, "invites">) =>
  ({ roomId, signed }: Pick<Delivery, "roomId" | "signed">, outcome: RedeemOutcome): Step<unknown> =>
    outcome._tag === "AlreadyJoined"
      ? TE.right(undefined)
      : noteEnd(ports)(roomId, signed.token, {
          _tag: "Redeem",
          by: signed.mxid,
          sender: outcome._tag === "Redeem" ? outcome.event.sender : outcome.sender,
        });

/** How a decision on a room's state is made into an event by this server: the key validity first, then the append. */
export const makeInvite =
  (ports: Omit<RedeemPorts, "federation">) =>
  (
    { roomId, signed }: Pick<Delivery, "roomId" | "signed">,
    decideWith: (state: RoomState, details: InviteDetails) => Either<Refusal, RedeemOutcome>,
    signal: AbortSignal | undefined,
  ): Step<Committed<RedeemOutcome>> => {
    const keysValid = validity(ports, signal);
    return pipe(
      askList(
        "invites.findByToken",
        () => ports.invites.findByToken(roomId, signed.token, { signal }),
        signal,
      ),
      TE.flatMap((found) =>
        commit(ports)(
          {
            roomId,
            reads: redeemEntries(signed.mxid, signed.token),
            decide: (state) => decideWith(state, detailsIn(found, state, signed.token)),
            events: (outcome) => (outcome._tag === "Redeem" ? [outcome.event] : []),
            before: (outcome) => (outcome._tag === "Redeem" ? keysValid(outcome.keys) : TE.right(undefined)),
          },
          signal,
        ),
      ),
      TE.tapIO((outcome) => () => {
        if (outcome._tag === "Redeem") tell(ports.observe, { _tag: "Redeemed", roomId, target: signed.mxid });
      }),
    );
  };

const namesOf = (outcome: RedeemOutcome): Redeemed => (outcome._tag === "Redeem" ? "Redeemed" : outcome._tag);

/** We do not have the room, or not the whole of it yet: another server has to say. */
export const isOutside = ({ code }: Problem): boolean => code === "NotInRoom" || code === "RoomIncomplete";

/** What we can see of the room ourselves. */
type Sight =
  | { readonly _tag: "Outside" }
  | { readonly _tag: "Inside"; readonly decided: Either<Refusal, RedeemOutcome> };

const see =
  (ports: RedeemPorts) =>
  ({ roomId, signed }: Delivery, signal: AbortSignal | undefined): Step<Sight> =>
    pipe(
      look(ports)(roomId, redeemEntries(signed.mxid, signed.token), signal),
      TE.map(({ state }): Sight => ({
        _tag: "Inside",
        decided: redeem(state, signed, ports.crypto, maxPairs(ports)),
      })),
      TE.orElse((problem): Step<Sight> =>
        isOutside(problem) ? TE.right({ _tag: "Outside" }) : TE.left(problem),
      ),
    );

export const maxPairs = ({ config }: Pick<Ports, "config">): { readonly maxPairs?: number } =>
  config.maxPairs === undefined ? {} : { maxPairs: config.maxPairs };

/** Answers that say nothing of the invite: the same request may well be accepted later. */
export const isTransient = (status: number): boolean =>
  status >= 500 || status === 401 || status === 408 || status === 424 || status === 425 || status === 429;

/**
 * Asks the inviter's server to make the invite. Where it cannot be reached, or no longer has the room, and we could
 * make the event ourselves, `ourselves` does.
 */
const exchange =
  (ports: RedeemPorts) =>
  (
    delivery: Delivery,
    destination: ServerName,
    ourselves: Step<Redeemed> | undefined,
    signal: AbortSignal | undefined,
  ): Step<Redeemed> =>
    pipe(
      ask(
        "federation.exchangeThirdPartyInvite",
        () =>
          ports.federation.exchangeThirdPartyInvite(
            { destination, roomId: delivery.roomId, body: exchangeBody(delivery) },
            { signal },
          ),
        signal,
      ),
      answered("federation.exchangeThirdPartyInvite", (answer): Step<Redeemed> => {
        switch (answer._tag) {
          case "Accepted":
            return TE.right("Exchanged");
          case "Unreachable":
            return (
              ourselves ?? TE.left(failure("ExchangeUnreachable", { retryAfterMs: answer.retryAfterMs }))
            );
          case "Refused":
            if (isTransient(answer.status)) return ourselves ?? TE.left(failure("ExchangeUnreachable"));
            if (answer.status === 404 && ourselves !== undefined) return ourselves;
            return TE.left(refusal("ExchangeRefused", { answer }));
        }
      }),
    );

/**
 * Turns one proof into an invite, whoever has to make it. Sender ours and we are in the room → we do. Sender
 * elsewhere → their server first, even when we are in the room; if it cannot be reached and we are, we do. Never an
 * exchange with ourselves. What our own view of the room decides for good (joined, invited, banned, revoked, not
 * proven) is decided before anybody is asked. It has succeeded when the end of our own invite is noted: a note that is
 * lost would leave a token standing that nobody tidies away, so whoever calls tries again, and finds them invited.
 */
export const redeemDelivery =
  (ports: RedeemPorts) =>
  (delivery: Delivery, signal: AbortSignal | undefined): Step<Redeemed> => {
    const { signed } = delivery;
    const ownServer = ports.config.serverName;
    const ourselves: Step<Redeemed> = pipe(
      makeInvite(ports)(
        delivery,
        (state, details) => redeem(state, signed, ports.crypto, { ...maxPairs(ports), details }),
        signal,
      ),
      TE.tap((outcome) => noteOutcome(ports)(delivery, outcome)),
      TE.map(namesOf),
    );
    const askSender = (fallback: Step<Redeemed> | undefined, otherwise: Refusal): Step<Redeemed> =>
      serverOf(delivery.sender) === ownServer
        ? TE.left(otherwise)
        : exchange(ports)(delivery, serverOf(delivery.sender), fallback, signal);

    return pipe(
      see(ports)(delivery, signal),
      TE.flatMap((sight): Step<Redeemed> => {
        if (sight._tag === "Outside") return askSender(undefined, refusal("NotInRoom"));
        const { decided } = sight;
        if (isLeft(decided))
          // A token that we cannot see is not a revoked one: the inviter's server may know better.
          return decided.left.code === "TokenUnknown"
            ? askSender(undefined, decided.left)
            : TE.left(decided.left);
        const outcome = decided.right;
        if (outcome._tag !== "Redeem")
          return pipe(
            noteOutcome(ports)(delivery, outcome),
            TE.map(() => outcome._tag),
          );
        // The room's own word on who invited, not the delivery's.
        const sender = parseUserId(outcome.event.sender);
        if (isLeft(sender) || serverOf(sender.right) === ownServer) return ourselves;
        return exchange(ports)(
          { ...delivery, sender: sender.right },
          serverOf(sender.right),
          ourselves,
          signal,
        );
      }),
    );
  };
