import type { Chance } from "./chance.js";

/** A process of a server. Once it is dead, nothing that it waited for comes any more. */
export interface Process {
  readonly name: string;
  alive: boolean;
}

interface Item {
  readonly at: number;
  readonly tie: number;
  readonly act: () => void;
  readonly owner: Process | undefined;
}

const isBefore = (one: Item, other: Item): boolean =>
  one.at < other.at || (one.at === other.at && one.tie < other.tie);

/** One turn of the event loop: every microtask that stands in line has run when it comes. */
export const allMicrotasks = (): Promise<void> =>
  new Promise((resolve) => {
    setImmediate(resolve);
  });

/**
 * All that is still to happen, by its time; what falls on one millisecond is in an order that chance draws. It is the
 * only source of progress: the library waits for ports alone, each port answers from here, and after each item the
 * microtasks run dry before the next one is taken. So one seed gives one order.
 */
export class Scheduler {
  now: number;
  private readonly chance: Chance;
  private readonly heap: Item[] = [];

  constructor(chance: Chance, start: number) {
    this.chance = chance;
    this.now = start;
  }

  /** Does something after a while, unless its process has died by then. */
  after(delay: number, act: () => void, owner?: Process): void {
    const item = { at: this.now + Math.max(0, Math.round(delay)), tie: this.chance.fraction(), act, owner };
    let place = this.heap.push(item) - 1;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      const above = this.heap[parent];
      if (above === undefined || !isBefore(item, above)) break;
      this.heap[place] = above;
      place = parent;
    }
    this.heap[place] = item;
  }

  /** When the next thing happens; never, if nothing is left. */
  get nextAt(): number {
    return this.heap[0]?.at ?? Infinity;
  }

  sleep(delay: number, owner?: Process): Promise<void> {
    return new Promise((resolve) => {
      this.after(delay, resolve, owner);
    });
  }

  /** Does the next thing and all that follows from it at once. `false` where nothing is left to do. */
  async step(): Promise<boolean> {
    const item = this.take();
    if (item === undefined) return false;
    this.now = Math.max(this.now, item.at);
    if (item.owner?.alive === false) return true;
    item.act();
    await allMicrotasks();
    return true;
  }

  private take(): Item | undefined {
    const [first] = this.heap;
    const last = this.heap.pop();
    if (first === undefined || last === undefined || first === last) return first;
    let place = 0;
    for (;;) {
      const left = 2 * place + 1;
      const [one, other] = [this.heap[left], this.heap[left + 1]];
      if (one === undefined) break;
      const [child, at] = other !== undefined && isBefore(other, one) ? [other, left + 1] : [one, left];
      if (!isBefore(child, last)) break;
      this.heap[place] = child;
      place = at;
    }
    this.heap[place] = last;
    return first;
  }
}
