import { type Either, isRight } from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import {
  type OwedRedemption,
  type RedemptionRecord,
  type RedemptionTransition,
  advanceRedemption,
  announcedForMs,
} from "../../invite/redemption.js";
import type { Delivery } from "../../invite/onbind.js";
import { serverOf } from "../../matrix/ids.js";
import { type RefusalCode, refusal } from "../../refusal.js";
import { asList, callPort } from "./call-port.js";
import type { Claimed } from "./claim-slots.js";
import { type Context, uncancelled } from "./context.js";
import { refuseBlocked } from "./find-user.js";
import { askPolicy } from "./invite-known-user.js";
import { notify, run } from "./notify.js";
import { maxBackOffMs, waitFrom } from "./process-memory.js";
import { provesOwnInvite } from "./proves-own-invite.js";
import { type RedeemNeeds, type Redeemed, redeemDelivery } from "./redeem-delivery.js";
import type { Problem, Step } from "./step.js";

export type WorkContext = Context<RedeemNeeds | "redemptions" | "random" | "policy" | "users">;

/** What one piece of work came to. */
export type Ended = "done" | "dead" | "again";

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const defaultAgeMs = 14 * dayMs;
const firstRetryMs = 2_000;

/**
 * Refusals that another time may not give: the token's event may still arrive, we may come back to the room, and a newer
 * release may know its version.
 */
const passing: ReadonlySet<RefusalCode> = new Set<RefusalCode>([
  "TokenUnknown",
  "ExchangeUnclear",
  "ExchangeNotFound",
  "NotInRoom",
  "NoCreateEvent",
  "RoomVersionUnknown",
]);

/** A status with which the event may be taken another time. */
const isTransient = (status: number): boolean =>
  status >= 500 || status === 401 || status === 408 || status === 424 || status === 425 || status === 429;

/** Refusals and failures that pass on what somebody else has answered: its status says whether that may change. */
const isForeign = ({ code }: Problem): boolean => code === "AppendRefused" || code === "PolicyRefused";

const isPermanent = (problem: Problem): boolean =>
  isForeign(problem)
    ? !isTransient(problem.status)
    : problem._tag === "Refusal" && !passing.has(problem.code);

/**
 * Twice as long after each attempt, up to an hour on the first day and six hours after; with jitter, so that a thousand
 * rows do not come back at once.
 */
const retryDelay = ({ attempts }: { readonly attempts: number }, age: number, fraction: number): number =>
  Math.min(firstRetryMs * 2 ** attempts, age < dayMs ? hourMs : 6 * hourMs) * (0.5 + fraction / 2);

/**
 * A redemption as the clock of now sees it. Where it was due for a day and nobody looked at it, that time does not count
 * for its age, nor an earlier refusal as the first of two: that is also what a clock that leaps shows. No age counts from a
 * time to come.
 */
const asSeen = (record: OwedRedemption, now: number): OwedRedemption => {
  const { refusedAt, ...state } = record.state;
  const missed = now - state.dueAt;
  return missed < dayMs
    ? { ...record, owedAt: Math.min(record.owedAt, now) }
    : { ...record, owedAt: Math.min(record.owedAt + missed, now), state };
};

/** What becomes of a redemption that was not made. */
const transitionAfter = (
  { ports: { clock, config, random } }: WorkContext,
  { owedAt, state }: OwedRedemption,
  problem: Problem,
): RedemptionTransition => {
  const { code: reason, status, errcode, retryAfterMs } = problem;
  const details = { reason, status, errcode };
  const at = clock.now();
  const age = Math.max(0, at - owedAt);
  // A proxy may answer once in the server's name, and a proof comes only once.
  if (reason === "ExchangeRefused") return { _tag: "Refuse", at, confirmMs: hourMs, details };
  if (isPermanent(problem)) return { _tag: "Kill", at, details };
  if (age >= (config.redemptionAgeMs ?? defaultAgeMs))
    return { _tag: "Kill", at, details: { ...details, reason: `Expired: ${reason}` } };
  const wait = waitFrom(retryAfterMs, maxBackOffMs);
  const fraction = random.fraction();
  const dueAt = at + Math.round(Math.max(wait, retryDelay(state, age, fraction)));
  // It may come to have the room or the invite: so it is asked meanwhile.
  if (reason === "ExchangeNotFound") return { _tag: "Refuse", at, confirmMs: dayMs, dueAt, details };
  if (reason === "ServerBackedOff")
    return { _tag: "Defer", dueAt: at + Math.round(wait * (1 + fraction / 10)) };
  return { _tag: "Retry", dueAt, details };
};

const transitionOf = (
  context: WorkContext,
  record: OwedRedemption,
  result: Either<Problem, Redeemed>,
): RedemptionTransition => {
  if (!isRight(result)) return transitionAfter(context, record, result.left);
  const at = context.ports.clock.now();
  // Only what our own view of the room shows is the end of the token: whoever delivers a forged proof may name any server
  // as the inviter's, and let it answer as it likes.
  return result.right === "Redeemed" || result.right === "AlreadyInvited"
    ? { _tag: "Redeem", at }
    : { _tag: "Done", at };
};

/** Whether the inviter's server has forbidden it when it was asked last: a server that is silent since has not allowed it. */
const isForbidden = ({ last }: OwedRedemption["state"]): boolean =>
  last?.reason === "ExchangeRefused" || (last?.reason === "ExchangeUnclear" && last.status === 403);

/**
 * Redeems a proof. A user of ours must not block the inviter. One of another server's user must still prove an invite of ours that nobody has redeemed, and the
 * policy is asked about that user.
 */
const redeemAllowed = (
  context: WorkContext,
  delivery: Delivery,
  state: OwedRedemption["state"],
): Step<Redeemed> => {
  const { roomId, sender, signed } = delivery;
  const { mxid: userId } = signed;
  const circumstances = { isForbidden: isForbidden(state) };
  if (serverOf(userId) === context.ports.config.serverName)
    return redeemDelivery(context, delivery, {
      ...circumstances,
      admit: (inviter) => refuseBlocked(context, { userId, inviter }),
    });
  return pipe(
    provesOwnInvite(context, delivery),
    TE.filterOrElseW(
      (proves) => proves,
      () => refusal("UserNotLocal"),
    ),
    TE.flatMap(() => askPolicy(context, { inviter: sender, roomId, target: { _tag: "ByUserId", userId } })),
    TE.flatMap(() => redeemDelivery(context, delivery, circumstances)),
  );
};

/** What is known of the token already: it was redeemed, or the sender's own server is about to append the invite. */
const known = (
  { ports: { clock } }: WorkContext,
  { sender }: OwedRedemption,
  siblings: readonly RedemptionRecord[],
): RedemptionTransition | undefined => {
  const now = clock.now();
  if (siblings.some(({ state }) => state._tag === "Redeemed")) return { _tag: "Done", at: now };
  const announced = siblings.flatMap(({ sender: by, state }) =>
    state._tag === "Announced" && by === sender && state.endedAt <= now
      ? [state.endedAt + announcedForMs]
      : [],
  );
  const dueAt = Math.max(...announced);
  return dueAt > now ? { _tag: "Defer", dueAt } : undefined;
};

const endedAs = (record: RedemptionRecord): Ended => {
  switch (record.state._tag) {
    case "Waiting":
      return "again";
    case "Dead":
      return "dead";
    case "Done":
    case "Redeemed":
    case "Announced":
      return "done";
  }
};

/**
 * Works on a redemption that this process holds: looks at what is known of its token, makes the invite, and stores what
 * became of it. A claim that somebody else has taken over changes nothing.
 */
export const workOnClaimed = (context: WorkContext, { value, mark }: Claimed): Step<Ended> => {
  const { roomId, sender, mxid, token, state } = value;
  const delivery = { roomId, sender, signed: { mxid, token, json: state.signed } };
  const occasion = { flow: "deliverOwed", roomId, userId: mxid };
  // By the clock at the end of the work: it may have leapt since the work began.
  const advanced = (of: (seen: OwedRedemption) => RedemptionTransition): RedemptionRecord => {
    const seen = asSeen(value, context.ports.clock.now());
    return { ...seen, state: advanceRedemption(seen.state, of(seen)) ?? seen.state };
  };
  return pipe(
    callPort(context, "redemptions", "known", { roomId, token, mxid }).read(asList),
    TE.map((siblings) => known(context, value, siblings)),
    TE.flatMap((transition): Step<RedemptionRecord> =>
      transition === undefined
        ? pipe(
            // Run apart: whatever goes wrong with one row is that row's own end.
            TE.fromTask(() => run(context, redeemAllowed(context, delivery, state), occasion)),
            TE.map((result) => advanced((seen) => transitionOf(context, seen, result))),
          )
        : TE.right(advanced(() => transition)),
    ),
    TE.tap((next) => callPort(uncancelled(context), "redemptions", "replace", next, mark).answer),
    TE.tapIO(({ state: ended }) => () => {
      if (ended._tag === "Dead")
        notify(context, { _tag: "RedemptionDead", roomId, target: mxid, code: ended.reason });
    }),
    TE.map(endedAs),
  );
};
