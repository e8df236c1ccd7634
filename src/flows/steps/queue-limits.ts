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
