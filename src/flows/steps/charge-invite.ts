import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { type InviteLife, addressHash, hasEnded, inviteKey, lostAnswer } from "../../invite/invite-life.js";
import type { UserId } from "../../matrix/ids.js";
import type { Config, InviteLimit, TakeAnswer } from "../../ports.js";
import { refusal } from "../../refusal.js";
import { askedForMs } from "./asked-for.js";
import { callPort, unlessStopped } from "./call-port.js";
import { type Context, uncancelled } from "./context.js";
import type { InvitingAddress } from "./invite-address.js";
import { bestEffort } from "./notify.js";
import type { Problem, Step } from "./step.js";
import { withDefaults } from "./with-defaults.js";

type ChargeContext = Context<"crypto" | "invites" | "limits" | "clock">;

/** So that a room with six addresses can be made; then one in 400 s, as Synapse has it. */
const defaultLimit: InviteLimit = { burst: 10, intervalMs: 400_000 };

/** The limit for one of the two. */
export const limitOf = (
  { inviteLimits }: Pick<Config, "inviteLimits">,
  of: "sender" | "address",
): InviteLimit => withDefaults(defaultLimit, inviteLimits?.[of]);

/** Under which key a sender's invites are counted. */
export const senderBucket = (userId: UserId): string => `sender ${userId}`;

/** Takes from a bucket, where limits are on. */
export const take = (
  context: Context<"limits" | "clock">,
  { key, limit, cost }: { readonly key: string; readonly limit: InviteLimit; readonly cost: number },
): Step<TakeAnswer & { readonly now: number }> => {
  const { limits, clock } = context.ports;
  const now = clock.now();
  if (limits === "off") return TE.right({ isTaken: true, fullAt: now, now });
  const question = { key, cost, now, ...limit };
  return callPort({ ports: { limits }, signal: context.signal }, "limits", "take", question).read(
    ({ isTaken, fullAt }) =>
      typeof isTaken === "boolean" && Number.isFinite(fullAt)
        ? TE.right({ isTaken, fullAt, now })
        : undefined,
  );
};

/** How often buckets that are full again are forgotten: once in so many charges. */
const forgetEvery = 500;

const forgetFull = (context: Context<"limits" | "clock">): Step<void> => {
  const { limits, clock } = context.ports;
  context.memory.charges += 1;
  if (limits === "off" || context.memory.charges % forgetEvery !== 0) return TE.right(undefined);
  const which = { fullBefore: clock.now(), limit: 2 * forgetEvery };
  return bestEffort(
    context,
    callPort({ ports: { limits }, signal: context.signal }, "limits", "forget", which).answer,
  );
};

/** Whether an invite that is stored needs no new token. */
const isKnown = ({ ports: { clock, config } }: ChargeContext, life: InviteLife): boolean =>
  life._tag === "Asked"
    ? lostAnswer(life, clock.now(), askedForMs(config))._tag !== "AskAgain"
    : life._tag !== "Intended" && !hasEnded(life);

/** Whether the storage can answer the request, so that nobody else is asked for a new token. */
const isAnswered = (
  context: ChargeContext,
  { roomId, requester, invite, resend }: InvitingAddress,
): Step<boolean> => {
  const { crypto, config } = context.ports;
  const { idServer, threepid } = invite;
  const key = inviteKey(crypto, config.addressKey, { roomId, sender: requester.userId, idServer, threepid });
  return resend
    ? TE.right(false)
    : pipe(
        callPort(context, "invites", "find", key).answer,
        TE.map((found) => found !== undefined && isKnown(context, found.value.life)),
      );
};

/** What a request has cost. */
export interface Charge {
  /** What was taken can be given back. */
  readonly giveBack: Step<void>;
  /** Charges a request that has cost nothing so far: a new token is to be asked for although the storage had an answer. */
  readonly chargeLate: Step<void>;
}

/** A step that is run before a problem is answered. */
const first =
  (step: Step<void>) =>
  (problem: Problem): Step<void> =>
    pipe(
      step,
      TE.flatMap(() => TE.left(problem)),
    );

/** Charges for the sender and for the address. Where one of the two has nothing left, nothing is taken. */
const chargeBoth = (context: ChargeContext, inviting: InvitingAddress): Step<Charge> => {
  const { config, crypto } = context.ports;
  const sender = { key: senderBucket(inviting.requester.userId), limit: limitOf(config, "sender") };
  const hash = addressHash(crypto, config.addressKey, inviting.invite.threepid);
  const address = { key: `address ${hash}`, limit: limitOf(config, "address") };

  const giveBack = (bucket: typeof sender): Step<void> =>
    bestEffort(context, take(uncancelled(context), { ...bucket, cost: -1 }));
  const takeOne = (bucket: typeof sender): Step<void> =>
    pipe(
      take(context, { ...bucket, cost: 1 }),
      TE.flatMap(({ isTaken, fullAt, now }) => {
        const { burst, intervalMs } = bucket.limit;
        // One fits again as soon as the bucket lacks one less than all of it.
        const retryAfterMs = Math.max(0, fullAt - (burst - 1) * intervalMs - now);
        return isTaken ? TE.right(undefined) : TE.left(refusal("InviteLimit", { retryAfterMs }));
      }),
    );

  const giveBackBoth = pipe(
    giveBack(sender),
    TE.flatMap(() => giveBack(address)),
  );
  return pipe(
    takeOne(sender),
    TE.flatMap(() => pipe(takeOne(address), TE.orElse(first(giveBack(sender))))),
    TE.tap(() => forgetFull(context)),
    TE.flatMap(() => pipe(unlessStopped(context), TE.orElse(first(giveBackBoth)))),
    TE.map(() => ({ giveBack: giveBackBoth, chargeLate: TE.right(undefined) })),
  );
};

/**
 * Charges a request for an invite by address: one for its sender and one for its address, over all rooms. What the storage
 * can answer costs nothing, unless a new token is asked for after all.
 */
export const chargeInvite = (context: ChargeContext, inviting: InvitingAddress): Step<Charge> => {
  const nothing: Step<void> = TE.right(undefined);
  if (context.ports.limits === "off") return TE.right({ giveBack: nothing, chargeLate: nothing });
  const charge = chargeBoth(context, inviting);
  return pipe(
    isAnswered(context, inviting),
    TE.flatMap((answered) =>
      answered
        ? TE.right({
            giveBack: nothing,
            chargeLate: pipe(
              charge,
              TE.map(() => undefined),
            ),
          })
        : charge,
    ),
  );
};
