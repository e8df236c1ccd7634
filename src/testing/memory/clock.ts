import type { Clock } from "../../ports.js";

/** A clock that stands still until it is told otherwise. */
export interface MemoryClock extends Clock {
  readonly set: (now: number) => void;
  readonly advance: (milliseconds: number) => void;
}

/**
 * A clock that stands at `start`, in milliseconds since 1970; the first day of 2026 unless given.
 *
 * @example
 * const clock = memoryClock();
 * clock.advance(60_000); // a minute later
 */
export const memoryClock = (start = Date.UTC(2026, 0, 1)): MemoryClock => {
  let time = start;
  return {
    now: () => time,
    set: (now) => {
      time = now;
    },
    advance: (milliseconds) => {
      time += milliseconds;
    },
  };
};
