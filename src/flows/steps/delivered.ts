/** What one call of the worker did, and when the next is worth making. */
export interface Delivered {
  readonly done: number;
  readonly dead: number;
  readonly again: number;
  /** Milliseconds since 1970, at most an hour from now; `undefined` where nothing waits. */
  readonly nextDueAt: number | undefined;
}
