import { isRight } from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Decision } from "../../invite/decision.js";
import type { InviteRecord } from "../../invite/invite-life.js";
import type { Delivery } from "../../invite/onbind.js";
import { type RedeemCommand, type RedeemOutcome, redeem } from "../../invite/redeem.js";
import { type UserId, parseUserId, serverOf } from "../../matrix/ids.js";
import type { Marked } from "../../ports.js";
import { type Refusal, refusal } from "../../refusal.js";
import { askForExchange } from "./ask-for-exchange.js";
import { checkKeyValidity } from "./check-key-validity.js";
import { type Context, rememberVerifications } from "./context.js";
import { type Committed, type Decided, type Plan, carryOut, decide } from "./decide.js";
import { notify } from "./notify.js";
import type { Problem, Step } from "./step.js";
import { findByToken, noteEnd } from "./transition.js";

export type MakeInviteNeeds = "crypto" | "rooms" | "events" | "identityServer" | "invites" | "clock";

export type RedeemNeeds = MakeInviteNeeds | "federation";

/** How a proof came to its invite. */
export type Redeemed = "Redeemed" | "Exchanged" | "AlreadyInvited" | "AlreadyJoined";

/** A redemption that was decided on the state of a room, and what this server has stored of the invite. */
interface Redemption<Command extends RedeemCommand> {
  readonly context: Context<MakeInviteNeeds>;
  readonly plan: Plan<Command, RedeemOutcome>;
  readonly found: readonly Marked<InviteRecord>[];
  readonly decided: Decided<RedeemOutcome>;
}

/** Decides what becomes of a proof; appends nothing. Where it is decided again, no signature is verified again. */
export const decideRedemption = <Command extends RedeemCommand>(
  given: Context<MakeInviteNeeds>,
  decision: Decision<Command, RedeemOutcome>,
  command: Command & Pick<Delivery, "roomId">,
): Step<Redemption<Command>> => {
  const { roomId, signed } = command;
  const context = {
    ...given,
    ports: { ...given.ports, crypto: rememberVerifications(given.ports.crypto) },
  };
  return pipe(
    TE.Do,
    TE.bind("found", () => findByToken(context, roomId, signed.token)),
    TE.let("keysValid", ({ found }) => checkKeyValidity(context, { isUrgent: found.length > 0 })),
    TE.let("plan", ({ found, keysValid }): Plan<Command, RedeemOutcome> => ({
      roomId,
      decision,
      command: { ...command, records: found.map(({ value }) => value) },
      before: (outcome) => (outcome._tag === "Redeem" ? keysValid(outcome.keys) : TE.right(undefined)),
    })),
    TE.bind("decided", ({ plan }) => decide(context, plan)),
    TE.let("context", () => context),
  );
};

/**
 * Notes the end of an invite of ours. Also where the event is there already: whoever made it may have died before the
 * note. Of somebody who is joined nothing is known; no proof was asked of them.
 */
const noteOutcome = <Command extends RedeemCommand>(
  { context, plan, found }: Redemption<Command>,
  outcome: RedeemOutcome,
): Step<unknown> => {
  const { roomId, command } = plan;
  const { mxid: by, token } = command.signed;
  switch (outcome._tag) {
    case "AlreadyJoined":
      return TE.right(undefined);
    case "AlreadyInvited":
      return noteEnd(context, { _tag: "Redeem", roomId, token, by, sender: outcome.sender }, found);
    case "Redeem": {
      const [{ sender }] = outcome.events;
      return noteEnd(context, { _tag: "Redeem", roomId, token, by, sender }, found);
    }
  }
};

/** Makes the invite that was decided: the validity of the keys first, then the append, then the note of its end. */
export const makeInvite = <Command extends RedeemCommand>(
  redemption: Redemption<Command>,
): Step<Committed<RedeemOutcome>> => {
  const { context, plan, decided } = redemption;
  return pipe(
    carryOut(context, plan, decided),
    TE.tapIO((outcome) => () => {
      if (outcome._tag === "Redeem")
        notify(context, { _tag: "Redeemed", roomId: plan.roomId, target: plan.command.signed.mxid });
    }),
    TE.tap((outcome) => noteOutcome(redemption, outcome)),
  );
};

/** We do not have the room, or not the whole of it yet: another server has to say. */
export const isOutside = ({ code }: Problem): boolean => code === "NotInRoom" || code === "RoomIncomplete";

/** What is known of a proof that was delivered. */
interface Circumstances {
  /** Whether the inviter's server has forbidden the invite when it was asked last. */
  readonly isForbidden?: boolean;
  /** Whether the user may be invited by the sender of the room's event; not asked where the user brought the proof (D-190). */
  readonly admit?: (inviter: UserId) => Step<unknown>;
}

/**
 * Turns one proof into an invite, whoever has to make it. Sender ours and we are in the room → we do. Sender elsewhere →
 * their server first, even when we are in the room; if it cannot be reached and we are, we do, unless it has forbidden the
 * invite when it was asked last. Never an exchange with ourselves. What our own view of the room decides for good (joined, invited, banned, revoked, not proven) is decided
 * before anybody is asked. It has succeeded when the end of our own invite is noted: a note that is lost would leave a
 * token pending that nobody empties, so whoever calls tries again, and finds them invited.
 */
export const redeemDelivery = (
  context: Context<RedeemNeeds>,
  delivery: Delivery,
  { isForbidden = false, admit = TE.right }: Circumstances = {},
): Step<Redeemed> => {
  const ownServer = context.ports.config.serverName;
  const askSender = (otherwise: Refusal): Step<Redeemed> =>
    serverOf(delivery.sender) === ownServer
      ? TE.left(otherwise)
      : askForExchange<Redeemed>(context, delivery, {
          destination: serverOf(delivery.sender),
          ourselves: undefined,
        });

  return pipe(
    decideRedemption(context, redeem, delivery),
    TE.matchE(
      (problem): Step<Redeemed> => {
        if (isOutside(problem)) return askSender(refusal("NotInRoom"));
        // A token that we cannot see is not a revoked one: the inviter's server may know better.
        return problem._tag === "Refusal" && problem.code === "TokenUnknown"
          ? askSender(problem)
          : TE.left(problem);
      },
      (redemption) => {
        const { outcome } = redemption.decided;
        const ourselves: Step<Redeemed> = pipe(
          makeInvite(redemption),
          TE.map(({ _tag }) => (_tag === "Redeem" ? "Redeemed" : _tag)),
        );
        if (outcome._tag !== "Redeem") return ourselves;
        // The room's own word on who invited, not the delivery's.
        const sender = parseUserId(outcome.events[0].sender);
        if (!isRight(sender)) return ourselves;
        const destination = serverOf(sender.right);
        return pipe(
          admit(sender.right),
          TE.flatMap(() =>
            destination === ownServer
              ? ourselves
              : askForExchange(
                  context,
                  { ...delivery, sender: sender.right },
                  { destination, ourselves: isForbidden ? undefined : ourselves },
                ),
          ),
        );
      },
    ),
  );
};
