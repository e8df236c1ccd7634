import type { RedemptionRow } from "../../src/invite/redemption-row.js";

/** A redemption in the toy; `own` is what a faulty one keeps instead of a text. */
export interface ToyRow {
  readonly columns: RedemptionRow;
  readonly mark: string;
  readonly isClaimed?: boolean;
  readonly own?: unknown;
}

/** All that the toy has. Another process that has the same state is another connection. */
export interface ToyState {
  readonly records: Map<string, { text: string; mark: string; tokens: readonly string[] }>;
  readonly rows: Map<string, ToyRow>;
  readonly buckets: Map<string, number>;
  count: number;
}

export const emptyToy = (): ToyState => ({
  records: new Map(),
  rows: new Map(),
  buckets: new Map(),
  count: 0,
});

export const nextMark = (state: ToyState): string => String((state.count += 1));

/** As a driver that waits for its database. */
export const soon = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
