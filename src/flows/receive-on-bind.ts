import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { type Delivery, type OnBind, type RefusedEntry, checkOnBind } from "../invite/onbind.js";
import { proofName } from "../invite/proof-name.js";
import type { CryptoEngine } from "../matrix/crypto-engine.js";
import { type ServerName, serverOf } from "../matrix/ids.js";
import type { OwedRedemption, Ports } from "../ports.js";
import { refusal } from "../refusal.js";
import { type FlowOptions, type FlowResult, type Step, ask, broken, run, tell } from "./run.js";
import { configured } from "./config.js";
import { findUser } from "./users.js";

export type ReceiveOnBindPorts = Pick<
  Ports,
  "config" | "crypto" | "redemptions" | "users" | "clock" | "observe"
>;

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
const fits =
  (ports: ReceiveOnBindPorts) =>
  ({ mxid, accepted }: OnBind, signal: AbortSignal | undefined): Step<boolean> => {
    const { maxWaitingPerUser = defaultMaxPerUser, maxWaitingPerServer = defaultMaxPerServer } = ports.config;
    const delivered = new Map<ServerName, number>();
    for (const { sender } of accepted)
      delivered.set(serverOf(sender), (delivered.get(serverOf(sender)) ?? 0) + 1);
    const within = (of: Waiting, sent: number, cap: number): Step<boolean> =>
      pipe(
        ask("redemptions.countWaiting", () => ports.redemptions.countWaiting(of, { signal }), signal),
        TE.flatMap((waiting) =>
          Number.isFinite(waiting)
            ? TE.right(waiting + sent <= Math.max(cap, sent))
            : broken("redemptions.countWaiting"),
        ),
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

const store =
  (ports: ReceiveOnBindPorts) =>
  ({ mxid, accepted, refused }: OnBind, signal: AbortSignal | undefined): Step<OnBindOutcome> => {
    if (accepted.length === 0) return TE.right({ accepted: 0, refused });
    return pipe(
      fits(ports)({ mxid, accepted, refused }, signal),
      // A proof comes only once: what finds no room now must be delivered again, so this is no 200.
      TE.filterOrElseW(
        (isRoom) => isRoom,
        () => refusal("TooManyWaiting", { retryAfterMs: fullForMs }),
      ),
      // Each proof is hashed: not before there is room for it.
      TE.flatMap(() => {
        const now = ports.clock.now();
        const rows = accepted.map((entry) => owed(ports.crypto, entry, now));
        return ask("redemptions.owe", () => ports.redemptions.owe(rows, { signal }), signal);
      }),
      TE.tapIO(() => () => {
        for (const { roomId } of accepted)
          tell(ports.observe, { _tag: "RedemptionOwed", roomId, target: mxid });
      }),
      TE.map(() => ({ accepted: accepted.length, refused })),
    );
  };

/**
 * Receives `/_matrix/federation/v1/3pid/onbind`, whose proofs come only once. Answers when the good
 * entries are stored, and makes no invite yet: that is `deliverOwed`'s. A body that is none, more entries than are
 * taken at once or may wait (`TooManyWaiting`: nothing is kept), or storage that fails is a `left`; a bad entry, or a user whom this server does not have, is not: the watcher is told `Refused` for each.
 *
 * @example
 * const result = await receiveOnBind(ports)(await request.json());
 * // right({ accepted: 2, refused: [{ index: 1, refusal: { code: "MxidMismatch", … } }] })
 */
export const receiveOnBind =
  (ports: ReceiveOnBindPorts) =>
  (body: unknown, { signal }: FlowOptions = {}): FlowResult<OnBindOutcome> => {
    const flow = "receiveOnBind";
    return run(
      pipe(
        configured(ports),
        TE.flatMapEither(() => {
          const { serverName, maxOnBindEntries: maxEntries = defaultMaxEntries } = ports.config;
          return checkOnBind(body, { serverName, maxEntries });
        }),
        TE.bindTo("checked"),
        TE.bind("user", ({ checked }) => findUser(ports, checked.mxid, signal)),
        TE.flatMap(({ checked, user }) =>
          store(ports)(user === undefined ? withoutUser(checked) : checked, signal),
        ),
        TE.tapIO(({ refused }) => () => {
          for (const { refusal } of refused)
            tell(ports.observe, { _tag: "Refused", code: refusal.code, flow });
        }),
      ),
      ports.observe,
      { flow },
    );
  };
