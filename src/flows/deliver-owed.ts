import { type Either, isLeft, isRight, right } from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Delivery } from "../invite/onbind.js";
import type { LeasedRedemption, OwedRedemption, Ports, Settlement } from "../ports.js";
import { type Refusal, type RefusalCode, malformedField } from "../refusal.js";
import { configured } from "./config.js";
import { type RedeemPorts, type Redeemed, isTransient, redeemDelivery } from "./redeem-delivery.js";
import {
  type FlowOptions,
  type FlowResult,
  type Problem,
  type Step,
  ask,
  askList,
  run,
  tell,
} from "./run.js";

export type DeliverOwedPorts = RedeemPorts & Pick<Ports, "redemptions" | "clock" | "random">;

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
const lanes = 8;

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

const settlementOf =
  (ports: DeliverOwedPorts) =>
  (row: OwedRedemption, result: Either<Problem, Redeemed>): Settlement => {
    if (isRight(result)) return { _tag: isShown(result.right) ? "Redeemed" : "Done" };
    const problem = result.left;
    const { code: reason, status, errcode } = problem;
    const now = ports.clock.now();
    if (isPermanent(problem)) return { _tag: "Dead", reason, status, errcode };
    if (now - row.owedAt >= (ports.config.redemptionAgeMs ?? defaultAgeMs))
      return { _tag: "Dead", reason: `Expired: ${reason}`, status, errcode };
    const delay = Math.max(waitOf(problem), retryDelay(row.attempts, ports.random.fraction()));
    return { _tag: "Again", dueAt: now + Math.round(delay), reason, status, errcode };
  };

const work =
  (ports: DeliverOwedPorts) =>
  ({ redemption, lease }: LeasedRedemption, signal: AbortSignal | undefined): Step<Settlement> => {
    const { roomId, sender, mxid, token, signed } = redemption;
    const delivery: Delivery = { roomId, sender, signed: { mxid, token, json: signed } };
    return pipe(
      // Run apart: whatever goes wrong with one row is that row's own settlement.
      TE.fromTask(() =>
        run(redeemDelivery(ports)(delivery, signal), ports.observe, {
          flow: "deliverOwed",
          roomId,
          userId: mxid,
        }),
      ),
      TE.map((result) => settlementOf(ports)(redemption, result)),
      TE.tap((settlement) =>
        ask("redemptions.settle", () => ports.redemptions.settle(redemption, lease, settlement, {})),
      ),
      TE.tapIO((settlement) => () => {
        if (settlement._tag === "Dead")
          tell(ports.observe, { _tag: "RedemptionDead", roomId, target: mxid, code: settlement.reason });
      }),
    );
  };

/** `Infinity` is all that is due. NaN would look like an empty queue for ever, and nobody would hear of it. */
const checkLimit = (limit: unknown): Either<Refusal, void> =>
  typeof limit === "number" && limit >= 0 ? right(undefined) : malformedField("limit");

const count = (results: readonly Settlement[], tag: Settlement["_tag"]): number =>
  results.filter((settlement) => settlement._tag === tag).length;

/**
 * Works on the redemptions that are owed and due: each proof becomes an invite, made here or by the inviter's
 * server; a permanent refusal makes its row *dead* with the
 * reason; anything else waits, longer each time. The host's scheduler calls it, after an onbind and again at
 * `nextDueAt`. Several workers may: a lease keeps them apart, and a worker that dies gives its rows back. An inbound
 * `/invite` may arrive while we wait for the exchange; nothing is locked.
 *
 * @example
 * const result = await deliverOwed(ports)({ limit: 100 }); // right({ done: 2, dead: 0, again: 1, nextDueAt: … })
 */
export const deliverOwed =
  (ports: DeliverOwedPorts) =>
  (command: { readonly limit?: number } = {}, { signal }: FlowOptions = {}): FlowResult<Delivered> => {
    const { limit = 100 } = command;
    const settlements: Settlement[] = [];
    let taken = 0;

    // A row is leased when a lane is free for it: a lease that begins in a line would run out there.
    const lease: Step<readonly LeasedRedemption[]> = askList(
      "redemptions.lease",
      () => {
        const now = ports.clock.now();
        const until = now + (ports.config.leaseMs ?? defaultLeaseMs);
        return ports.redemptions.lease({ now, until, limit: 1 }, { signal });
      },
      signal,
    );

    const lane: Step<void> = async () => {
      while (taken < limit) {
        taken += 1;
        const leased = await lease();
        if (isLeft(leased)) return leased;
        const [row] = leased.right;
        if (row === undefined) return right(undefined);
        const settled = await work(ports)(row, signal)();
        if (isLeft(settled)) return settled;
        settlements.push(settled.right);
      }
      return right(undefined);
    };

    return run(
      pipe(
        configured(ports),
        TE.flatMapEither(() => checkLimit(limit)),
        TE.flatMap(() => TE.sequenceArray(Array.from({ length: lanes }, () => lane))),
        TE.flatMap(() => ask("redemptions.nextDueAt", () => ports.redemptions.nextDueAt({ signal }), signal)),
        TE.map((nextDueAt) => ({
          done: count(settlements, "Done") + count(settlements, "Redeemed"),
          dead: count(settlements, "Dead"),
          again: count(settlements, "Again"),
          nextDueAt,
        })),
      ),
      ports.observe,
      { flow: "deliverOwed" },
    );
  };
