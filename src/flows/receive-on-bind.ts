import { isLeft } from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { type Delivery, type OnBind, type RefusedEntry, checkOnBind } from "../invite/onbind.js";
import { proofName } from "../invite/proof-name.js";
import type { CryptoEngine } from "../matrix/crypto-engine.js";
import { type ServerName, serverOf } from "../matrix/ids.js";
import type { OwedRedemption, Ports } from "../ports.js";
import { refusal } from "../refusal.js";
import { type FlowOptions, type FlowResult, type Step, ask, broken, run, tell } from "./run.js";
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

/** When the queue may have shrunk again. */
const fullForMs = 60_000;

/** What may still wait. */
interface Room {
  readonly user: number;
  readonly servers: ReadonlyMap<ServerName, number>;
}

/** How many more may wait, for the user and for each inviting server. */
const roomLeft =
  (ports: ReceiveOnBindPorts) =>
  ({ mxid, accepted }: OnBind, signal: AbortSignal | undefined): Step<Room> => {
    const { maxWaitingPerUser = defaultMaxPerUser, maxWaitingPerServer = defaultMaxPerServer } = ports.config;
    const delivered = new Map<ServerName, number>();
    for (const { sender } of accepted)
      delivered.set(serverOf(sender), (delivered.get(serverOf(sender)) ?? 0) + 1);
    // What found no room comes again with all that was delivered: where nothing else waits, the whole must fit.
    const roomFor = (cap: number, sent: number, waiting: number): number => Math.max(cap, sent) - waiting;
    const count = (of: Parameters<Ports["redemptions"]["countWaiting"]>[0]): Step<number> =>
      pipe(
        ask(() => ports.redemptions.countWaiting(of, { signal }), signal),
        TE.flatMap((waiting) => (Number.isFinite(waiting) ? TE.right(waiting) : broken())),
      );
    return pipe(
      TE.Do,
      TE.bind("waiting", () => count({ mxid })),
      TE.bind("perServer", () =>
        TE.traverseArray(([destination, sent]: readonly [ServerName, number]) =>
          TE.map((waiting: number) => [destination, roomFor(maxWaitingPerServer, sent, waiting)] as const)(
            count({ destination }),
          ),
        )([...delivered]),
      ),
      TE.map(({ waiting, perServer }) => ({
        user: roomFor(maxWaitingPerUser, accepted.length, waiting),
        servers: new Map(perServer),
      })),
    );
  };

/** The deliveries that the caps let in, in their order. */
const withinCaps = (deliveries: readonly Delivery[], room: Room): readonly Delivery[] => {
  const servers = new Map(room.servers);
  const taken: Delivery[] = [];
  for (const delivery of deliveries) {
    const left = servers.get(serverOf(delivery.sender)) ?? 0;
    if (taken.length >= room.user || left <= 0) continue;
    servers.set(serverOf(delivery.sender), left - 1);
    taken.push(delivery);
  }
  return taken;
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
  (delivery: OnBind, signal: AbortSignal | undefined): Step<OnBindOutcome> =>
    pipe(
      roomLeft(ports)(delivery, signal),
      TE.flatMap((room) => {
        const taken = withinCaps(delivery.accepted, room);
        const now = ports.clock.now();
        const rows = taken.map((entry) => owed(ports.crypto, entry, now));
        return pipe(
          rows.length === 0
            ? TE.right(undefined)
            : ask(() => ports.redemptions.owe(rows, { signal }), signal),
          TE.tapIO(() => () => {
            for (const { roomId } of taken)
              tell(ports.observe, { _tag: "RedemptionOwed", roomId, target: delivery.mxid });
          }),
          // A proof comes only once: what finds no room now must be delivered again, so this is no 200.
          TE.flatMap(() =>
            taken.length < delivery.accepted.length
              ? TE.left(refusal("TooManyWaiting", { retryAfterMs: fullForMs }))
              : TE.right({ accepted: taken.length, refused: delivery.refused }),
          ),
        );
      }),
    );

/**
 * Receives `/_matrix/federation/v1/3pid/onbind`, whose proofs come only once (ONB-1 to ONB-8). Answers when the good
 * entries are stored, and makes no invite yet: that is `deliverOwed`'s. A body that is none, more entries than are
 * taken at once or may wait (`TooManyWaiting`, which keeps those that found room), or storage that fails is a `left`; a bad entry, or a user whom this server does not have, is not.
 *
 * @example
 * const result = await receiveOnBind(ports)(await request.json());
 * // right({ accepted: 2, refused: [{ index: 1, refusal: { code: "MxidMismatch", … } }] })
 */
export const receiveOnBind =
  (ports: ReceiveOnBindPorts) =>
  (body: unknown, { signal }: FlowOptions = {}): FlowResult<OnBindOutcome> => {
    const { serverName, maxOnBindEntries: maxEntries = defaultMaxEntries } = ports.config;
    const checked = checkOnBind(body, { serverName, maxEntries });
    const step: Step<OnBindOutcome> = isLeft(checked)
      ? TE.left(checked.left)
      : pipe(
          findUser(ports, checked.right.mxid, signal),
          TE.flatMap((user) =>
            store(ports)(user === undefined ? withoutUser(checked.right) : checked.right, signal),
          ),
        );
    return run(step, ports.observe, { flow: "receiveOnBind" });
  };
