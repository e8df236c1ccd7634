import type { Config, QueueLimits } from "../../ports.js";
import { withDefaults } from "./with-defaults.js";

const mebibyte = 1024 * 1024;

/** How much of a flood is kept, all together: less than 64 MiB. */
export const defaultQueueLimits: QueueLimits = {
  vouchedPerUser: 10_000,
  vouched: 100_000,
  vouchedBytes: 24 * mebibyte,
  unvouchedPerUser: 1_000,
  unvouched: 20_000,
  unvouchedBytes: 24 * mebibyte,
  dead: 10_000,
  deadBytes: 8 * mebibyte,
  done: 10_000,
  rememberMs: 365 * 24 * 3_600_000,
};

export const queueLimits = ({ queue }: Config): QueueLimits => withDefaults(defaultQueueLimits, queue);

/** How much of what waits may be untried. The rest is for what comes again, so that neither pushes the other out. */
const untriedShare = 3 / 4;

/** Rows, and bytes of what is stored. */
export interface Size {
  readonly rows: number;
  readonly bytes: number;
}

/** How much of one class may wait. */
export interface WaitingLimits {
  /** Untried, for one user. */
  readonly perUser: number;
  readonly untried: Size;
  readonly tried: Size;
}

export const waitingLimits = (config: Config, isVouched: boolean): WaitingLimits => {
  const limits = queueLimits(config);
  const [perUser, rows, bytes] = isVouched
    ? [limits.vouchedPerUser, limits.vouched, limits.vouchedBytes]
    : [limits.unvouchedPerUser, limits.unvouched, limits.unvouchedBytes];
  const share = (of: number): Size => ({ rows: Math.ceil(rows * of), bytes: Math.ceil(bytes * of) });
  return { perUser, untried: share(untriedShare), tried: share(1 - untriedShare) };
};
