import { type Either, isLeft, isRight, right } from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Delivery } from "../invite/onbind.js";
import type { LeasedRedemption, OwedRedemption, Settlement } from "../ports.js";
import { type Refusal, type RefusalCode, malformedField } from "../refusal.js";
import { defineFlow } from "./flow.js";
import { asList, callPort } from "./steps/call-port.js";
import { type Context, uncancelled } from "./steps/context.js";
import { notify, run, settle } from "./steps/notify.js";
import { type RedeemNeeds, type Redeemed, isTransient, redeemDelivery } from "./steps/redeem-delivery.js";
import type { Problem, Step } from "./steps/step.js";

export interface DeliverOwedCommand {
  /** How many redemptions to work on at most; 100 unless told otherwise. */
  readonly limit?: number;
}

type DeliverContext = Context<RedeemNeeds | "redemptions" | "clock" | "random">;

/** What one call did, and when the next is worth making. */
export interface Delivered {
  readonly done: number;
  readonly dead: number;
  readonly again: number;
  /** Milliseconds since 1970; `undefined` where nothing waits. */
  readonly nextDueAt: number | undefined;
}

const defaultLeaseMs = 60_000;
const defaultAgeMs = 14 * 24 * 3_600_000;
const firstRetryMs = 2_000;
const maxRetryMs = 3_600_000;

/** Rows of one call are worked on side by side, in a few lanes: one server that is slow must not hold up the others. */
const maxLanes = 8;

/**
 * Refusals that another time may not give: the token's event may still arrive, we may come back to the room, and a newer
 * release may know its version.
 */
const passing: ReadonlySet<RefusalCode> = new Set<RefusalCode>([
  "TokenUnknown",
  "NotInRoom",
  "NoCreateEvent",
  "RoomVersionUnknown",
]);

const isPermanent = (problem: Problem): boolean =>
  problem._tag === "Refusal"
    ? !passing.has(problem.code)
    : problem.code === "AppendRefused" && !isTransient(problem.status);

/** Twice as long after each attempt, up to an hour, with jitter so that a thousand rows do not come back at once. */
const retryDelay = (attempts: number, fraction: number): number =>
  Math.min(firstRetryMs * 2 ** attempts, maxRetryMs) * (0.5 + fraction / 2);

/**
 * Whether our own view of the room shows the invite by this token. What another server says ends this row and no other:
 * whoever delivers a forged proof may name any server as the inviter's, and let it answer as it likes.
 */
const isShown = (how: Redeemed): boolean => how === "Redeemed" || how === "AlreadyInvited";

/** How long whoever refused wants us to wait. A wait without an end would lose the proof. */
const waitOf = ({ retryAfterMs = 0 }: Problem): number => (Number.isFinite(retryAfterMs) ? retryAfterMs : 0);

const settlementOf = (
  { ports: { clock, config, random } }: DeliverContext,
  row: OwedRedemption,
  result: Either<Problem, Redeemed>,
): Settlement => {
  if (isRight(result)) return { _tag: isShown(result.right) ? "Redeemed" : "Done" };
  const problem = result.left;
  const { code: reason, status, errcode } = problem;
  const now = clock.now();
  if (isPermanent(problem)) return { _tag: "Dead", reason, status, errcode };
  if (now - row.owedAt >= (config.redemptionAgeMs ?? defaultAgeMs))
    return { _tag: "Dead", reason: `Expired: ${reason}`, status, errcode };
  const delay = Math.max(waitOf(problem), retryDelay(row.attempts, random.fraction()));
  return { _tag: "Again", dueAt: now + Math.round(delay), reason, status, errcode };
};

const work = (context: DeliverContext, { redemption, lease }: LeasedRedemption): Step<Settlement> => {
  const { roomId, sender, mxid, token, signed } = redemption;
  const delivery: Delivery = { roomId, sender, signed: { mxid, token, json: signed } };
  return pipe(
    // Run apart: whatever goes wrong with one row is that row's own settlement.
    TE.fromTask(() =>
      run(context, redeemDelivery(context, delivery), { flow: "deliverOwed", roomId, userId: mxid }),
    ),
    TE.map((result) => settlementOf(context, redemption, result)),
    TE.tap(
      (settlement) =>
        callPort(uncancelled(context), "redemptions", "settle", redemption, lease, settlement).answer,
    ),
    TE.tapIO((settlement) => () => {
      if (settlement._tag === "Dead")
        notify(context, { _tag: "RedemptionDead", roomId, target: mxid, code: settlement.reason });
    }),
  );
};

/** `Infinity` is all that is due. NaN would look like an empty queue for ever, and nobody would hear of it. */
const checkLimit = (limit: unknown): Either<Refusal, void> =>
  typeof limit === "number" && limit >= 0 ? right(undefined) : malformedField("limit");

const count = (results: readonly Settlement[], tag: Settlement["_tag"]): number =>
  results.filter((settlement) => settlement._tag === tag).length;

/** A row is leased when a lane is free for it: a lease that begins in a line would run out there. */
const leaseOne = (context: DeliverContext): Step<LeasedRedemption | undefined> => {
  const { clock, config } = context.ports;
  return pipe(
    TE.fromIO(() => clock.now()),
    TE.flatMap((now) =>
      callPort(context, "redemptions", "lease", {
        now,
        until: now + (config.leaseMs ?? defaultLeaseMs),
        limit: 1,
      }).read(asList),
    ),
    TE.map(([row]) => row),
  );
};

/** Works in as many lanes as there are rows for: a lane that finds a row opens the next, one that finds none closes. */
const workOnAll = (context: DeliverContext, limit: number): Step<readonly Settlement[]> => {
  const settlements: Settlement[] = [];
  let taken = 0;
  let lanes = 0;
  const lane: Step<void> = async () => {
    lanes += 1;
    let next: ReturnType<typeof lane> | undefined;
    let result: Awaited<ReturnType<typeof lane>> = right(undefined);
    while (taken < limit) {
      taken += 1;
      const leased = await settle(leaseOne(context));
      if (isLeft(leased)) result = leased;
      if (isLeft(leased) || leased.right === undefined) break;
      if (next === undefined && lanes < maxLanes) next = lane();
      // A clock that throws must not leave the next lane's promise without anybody who awaits it.
      const settled = await settle(work(context, leased.right));
      if (isRight(settled)) settlements.push(settled.right);
      else {
        result = settled;
        break;
      }
    }
    const others = await next;
    return others === undefined || isLeft(result) ? result : others;
  };
  return pipe(
    lane,
    TE.map(() => settlements),
  );
};

export const deliverOwed = defineFlow(
  "crypto",
  "rooms",
  "events",
  "identityServer",
  "invites",
  "federation",
  "redemptions",
  "clock",
  "random",
)((context, { limit = 100 }: DeliverOwedCommand) =>
  pipe(
    TE.fromEither(checkLimit(limit)),
    TE.flatMap(() => workOnAll(context, limit)),
    TE.bindTo("settlements"),
    TE.bind("nextDueAt", () => callPort(context, "redemptions", "nextDueAt").answer),
    TE.map(({ settlements, nextDueAt }): Delivered => ({
      done: count(settlements, "Done") + count(settlements, "Redeemed"),
      dead: count(settlements, "Dead"),
      again: count(settlements, "Again"),
      nextDueAt,
    })),
  ),
);
