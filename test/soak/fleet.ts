/** The processes of the homeserver: started, killed and started again, each known by its place. */
import { type ChildProcess, fork } from "node:child_process";
import type { FromProcess, Order, Outcome, StoragePlace, ToProcess } from "./messages.js";

export interface Fleet {
  /** To some process; `undefined` where it died before it answered, as a client's connection breaks. */
  readonly order: (order: Order) => Promise<Outcome | undefined>;
  /** To every process that lives. */
  readonly orderAll: (order: Order) => Promise<void>;
  readonly killOne: () => void;
  readonly stop: () => void;
  readonly started: () => number;
  readonly killed: () => number;
}

interface Place {
  child: ChildProcess;
  ready: boolean;
  readonly asked: Map<number, (outcome: Outcome | undefined) => void>;
}

export interface FleetOptions {
  readonly size: number;
  /** The built file of a process. */
  readonly file: string;
  readonly storage: StoragePlace;
  readonly answer: (port: string, method: string, args: readonly unknown[]) => Promise<unknown>;
  readonly random: () => number;
  readonly aheadMs: () => number;
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export const openFleet = ({ size, file, storage, answer, random, aheadMs }: FleetOptions): Fleet => {
  const places: Place[] = [];
  let started = 0;
  let killed = 0;
  let orders = 0;
  let stopped = false;

  const send = (child: ChildProcess, message: ToProcess): void => {
    // A process that was killed between the question and the answer hears nothing any more.
    if (child.connected) child.send(message, () => undefined);
  };

  const hear = (place: Place, child: ChildProcess, message: FromProcess): void => {
    switch (message._tag) {
      case "Ready":
        place.ready = true;
        break;
      case "Outcome":
        place.asked.get(message.id)?.(message.outcome);
        place.asked.delete(message.id);
        break;
      case "Call": {
        const { id, port, method, args } = message;
        answer(port, method, args).then(
          (value) => {
            send(child, { _tag: "Answer", id, value });
          },
          (error: unknown) => {
            send(child, { _tag: "Failed", id, why: String(error) });
          },
        );
        break;
      }
    }
  };

  const start = (at: number): void => {
    started += 1;
    const child = fork(file, {
      serialization: "advanced",
      execArgv: ["--enable-source-maps", "--no-warnings"],
    });
    const place: Place = { child, ready: false, asked: new Map() };
    places[at] = place;
    child.on("message", (message: FromProcess) => {
      hear(place, child, message);
    });
    child.on("error", () => undefined);
    child.on("exit", () => {
      for (const settle of place.asked.values()) settle(undefined);
      place.asked.clear();
      place.ready = false;
      if (!stopped) start(at);
    });
    send(child, { _tag: "Start", storage, aheadMs: aheadMs() });
  };
  for (let at = 0; at < size; at += 1) start(at);

  const living = (): readonly Place[] => places.filter(({ ready }) => ready);
  const some = (): Place | undefined => living()[Math.floor(random() * living().length)];

  const orderOf = (place: Place, order: Order): Promise<Outcome | undefined> =>
    new Promise((resolve) => {
      orders += 1;
      place.asked.set(orders, resolve);
      send(place.child, { _tag: "Order", id: orders, order });
    });

  return {
    order: async (order) => {
      for (;;) {
        const place = some();
        if (place !== undefined) return orderOf(place, order);
        await sleep(10);
      }
    },
    orderAll: async (order) => {
      while (living().length < size) await sleep(10);
      await Promise.all(living().map((place) => orderOf(place, order)));
    },
    killOne: () => {
      const place = some();
      if (place === undefined) return;
      killed += 1;
      place.ready = false;
      place.child.kill("SIGKILL");
    },
    stop: () => {
      stopped = true;
      for (const { child } of places) child.kill("SIGKILL");
    },
    started: () => started,
    killed: () => killed,
  };
};
