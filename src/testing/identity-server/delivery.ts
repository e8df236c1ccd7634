import type { Onbind } from "./effects.js";

/** An onbind on its way: what, how often it has failed, when it is due, and whether it is being sent right now. */
export interface Delivery {
  readonly id: number;
  readonly onbind: Onbind;
  readonly failures: number;
  readonly dueAt: number;
  readonly sending: boolean;
}

/** What is still to be delivered, oldest first. */
export interface DeliveryQueue {
  readonly nextId: number;
  readonly deliveries: readonly Delivery[];
}

export const emptyQueue: DeliveryQueue = { nextId: 0, deliveries: [] };

/** A new delivery is due at once. */
export const enqueue = (
  { nextId, deliveries }: DeliveryQueue,
  onbind: Onbind,
  now: number,
): DeliveryQueue => ({
  nextId: nextId + 1,
  deliveries: [...deliveries, { id: nextId, onbind, failures: 0, dueAt: now, sending: false }],
});

/** Marks all that is due as being sent, so that nobody else sends it meanwhile, and says what it is. */
export const claim = (
  queue: DeliveryQueue,
  now: number,
): readonly [claimed: readonly Delivery[], queue: DeliveryQueue] => {
  const isDue = (delivery: Delivery): boolean => !delivery.sending && delivery.dueAt <= now;
  const mark = (delivery: Delivery): Delivery =>
    isDue(delivery) ? { ...delivery, sending: true } : delivery;
  return [queue.deliveries.filter(isDue), { ...queue, deliveries: queue.deliveries.map(mark) }];
};

export const settle = (queue: DeliveryQueue, id: number): DeliveryQueue => ({
  ...queue,
  deliveries: queue.deliveries.filter((delivery) => delivery.id !== id),
});

/** After a failure: once more in 1 s, then 2, 4, 8 … s, without end. */
export const postpone = (queue: DeliveryQueue, id: number, now: number): DeliveryQueue => ({
  ...queue,
  deliveries: queue.deliveries.map((delivery) =>
    delivery.id === id
      ? {
          ...delivery,
          failures: delivery.failures + 1,
          dueAt: now + 1000 * 2 ** delivery.failures,
          sending: false,
        }
      : delivery,
  ),
});

/** When the next delivery is due, or `undefined` where none waits. */
export const nextDueAt = (queue: DeliveryQueue): number | undefined => {
  const times = queue.deliveries.filter((delivery) => !delivery.sending).map((delivery) => delivery.dueAt);
  return times.length === 0 ? undefined : times.reduce((one, other) => Math.min(one, other));
};

/** How an onbind is sent. */
export interface OnbindSender {
  /** PUT is what the endpoint's definition says, POST what servers do. */
  readonly method: "POST" | "PUT";
  readonly homeserverUrl: (serverName: string) => string;
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
}

/** A server that does not answer within this time has not taken the delivery. */
const patience = 30_000;

/** Sends an onbind; true for status 200 and nothing else. Never rejects. */
export const send = async (sender: OnbindSender, { to, body }: Onbind): Promise<boolean> => {
  try {
    const base = sender.homeserverUrl(to).replace(/\/+$/, "");
    const response = await sender.fetch(`${base}/_matrix/federation/v1/3pid/onbind`, {
      method: sender.method,
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
      redirect: "manual",
      signal: AbortSignal.timeout(patience),
    });
    // Nobody reads the body; a connection is held until it is gone. The status is all that counts, whatever comes of it.
    await response.body?.cancel().catch(() => undefined);
    return response.status === 200;
  } catch {
    return false;
  }
};
