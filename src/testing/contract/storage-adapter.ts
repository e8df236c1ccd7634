import type { Invites, Limits, Redemptions } from "../../ports.js";

/** The three ports over one storage. */
export interface OpenStorage {
  readonly invites: Invites;
  readonly redemptions: Redemptions;
  readonly limits: Limits;
  /** Called when a check is over. */
  readonly close?: () => Promise<void>;
}

/** What the kit needs of whoever checks an adapter. */
export interface StorageAdapter<Storage extends OpenStorage = OpenStorage> {
  /** New storage, with nothing in it. Each check opens its own. */
  readonly open: () => Promise<Storage>;
  /**
   * One more connection to the same storage, independent of the others, as another process would have it. The races
   * are then run over several; without it they show only what one connection does with calls that overlap. The calls of
   * a synchronous driver never do: give the ports of another process or worker.
   */
  readonly connect?: (storage: Storage) => Promise<OpenStorage>;
  /**
   * The same storage as a process finds it that starts after this one has died, with whatever this one was doing. The
   * old storage is neither used nor closed again. Without it, nothing is checked of what must outlive a process.
   */
  readonly reopen?: (storage: Storage) => Promise<OpenStorage>;
}
