import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { type Delivery, type OnBind, type RefusedEntry, checkOnBind } from "../invite/onbind.js";
import { proofName } from "../invite/proof-name.js";
import type { CryptoEngine } from "../matrix/crypto-engine.js";
import { type ServerName, serverOf } from "../matrix/ids.js";
import type { OwedRedemption, Ports } from "../ports.js";
import { refusal } from "../refusal.js";
import { defineFlow } from "./flow.js";
import { callPort } from "./steps/call-port.js";
import type { Context } from "./steps/context.js";
import { findUser } from "./steps/find-user.js";
import { notify } from "./steps/notify.js";
import type { Step } from "./steps/step.js";

/** The delivery of an identity server. */
export interface OnBindCommand {
  /** The parsed JSON of the body, unchecked. */
  readonly body: unknown;
}

type OnBindContext = Context<"crypto" | "redemptions" | "users" | "clock">;

/** What became of a delivery. Answer it with 200 and `{}`: the identity server repeats anything else for ever. */
export interface OnBindOutcome {
  /** Entries stored; the same proof delivered again counts here, and is owed once. */
  readonly accepted: number;
  readonly refused: readonly RefusedEntry[];
}

const defaultMaxEntries = 5_000;
const defaultMaxPerUser = 10_000;
const defaultMaxPerServer = 100_000;

type Waiting = Parameters<Ports["redemptions"]["countWaiting"]>[0];

/** When the queue may have shrunk again. */
const fullForMs = 60_000;

/**
 * Whether a delivery finds room: all of it or none, since it is delivered again whole. Where nothing else waits it always
 * does, however small the caps are.
 */
const fits = (context: OnBindContext, { mxid, accepted }: OnBind): Step<boolean> => {
  const { maxWaitingPerUser = defaultMaxPerUser, maxWaitingPerServer = defaultMaxPerServer } =
    context.ports.config;
  const delivered = new Map<ServerName, number>();
  for (const { sender } of accepted)
    delivered.set(serverOf(sender), (delivered.get(serverOf(sender)) ?? 0) + 1);
  const within = (of: Waiting, sent: number, cap: number): Step<boolean> =>
    callPort(context, "redemptions", "countWaiting", of).read((waiting) =>
      Number.isFinite(waiting) ? TE.right(waiting + sent <= Math.max(cap, sent)) : undefined,
    );
  return pipe(
    TE.Do,
    TE.bind("user", () => within({ mxid }, accepted.length, maxWaitingPerUser)),
    TE.bind("servers", () =>
      TE.traverseArray(([destination, sent]: readonly [ServerName, number]) =>
        within({ destination }, sent, maxWaitingPerServer),
      )([...delivered]),
    ),
    TE.map(({ user, servers }) => user && servers.every((server) => server)),
  );
};

const owed = (crypto: CryptoEngine, { roomId, sender, signed }: Delivery, now: number): OwedRedemption => ({
  roomId,
  token: signed.token,
  mxid: signed.mxid,
  proof: proofName(crypto, { sender, signed }),
  sender,
  signed: signed.json,
  owedAt: now,
  dueAt: now,
  attempts: 0,
});

/** Nobody here has this name: all is refused, and the identity server may stop. */
const withoutUser = ({ mxid, accepted, refused }: OnBind): OnBind => ({
  mxid,
  accepted: [],
  refused: [...refused, ...accepted.map(({ index }) => ({ index, refusal: refusal("UserUnknown") }))],
});

const store = (context: OnBindContext, onBind: OnBind): Step<OnBindOutcome> => {
  const { mxid, accepted, refused } = onBind;
  const { clock, crypto } = context.ports;
  if (accepted.length === 0) return TE.right({ accepted: 0, refused });
  return pipe(
    fits(context, onBind),
    // A proof comes only once: what finds no room now must be delivered again, so this is no 200.
    TE.filterOrElseW(
      (isRoom) => isRoom,
      () => refusal("TooManyWaiting", { retryAfterMs: fullForMs }),
    ),
    // Each proof is hashed: not before there is room for it.
    TE.flatMap(() => {
      const now = clock.now();
      const rows = accepted.map((entry) => owed(crypto, entry, now));
      return callPort(context, "redemptions", "owe", rows).answer;
    }),
    TE.tapIO(() => () => {
      for (const { roomId } of accepted) notify(context, { _tag: "RedemptionOwed", roomId, target: mxid });
    }),
    TE.map(() => ({ accepted: accepted.length, refused })),
  );
};

export const receiveOnBind = defineFlow(
  "crypto",
  "redemptions",
  "users",
  "clock",
)((context, { body }: OnBindCommand) => {
  const { serverName, maxOnBindEntries: maxEntries = defaultMaxEntries } = context.ports.config;
  return pipe(
    TE.fromEither(checkOnBind(body, { serverName, maxEntries })),
    TE.bindTo("checked"),
    TE.bind("user", ({ checked }) => findUser(context, { userId: checked.mxid })),
    TE.flatMap(({ checked, user }) => store(context, user === undefined ? withoutUser(checked) : checked)),
    TE.tapIO(({ refused }) => () => {
      for (const { refusal } of refused)
        notify(context, { _tag: "Refused", code: refusal.code, flow: "receiveOnBind" });
    }),
  );
});
