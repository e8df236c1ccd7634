/** Milliseconds since some moment. */
export type Clock = () => number;

/** Runs once over inputs that it alone holds, and says how many of the results were right. */
export type Batch = () => number;

/** What is measured, and what it is measured against. */
export interface Pair {
  readonly measured: Batch;
  readonly against: Batch;
}

export interface Comparison {
  /** How many operations a batch does; all of them must be right, which also keeps the results alive. */
  readonly size: number;
  readonly warmUp: number;
  readonly rounds: number;
  /** Makes the inputs of a round anew, outside the timed sections. */
  readonly prepare: (round: number) => Pair;
}

/** All that a figure needs, or the least that shows whether it can be found and whether the results are right. */
export type Effort = "full" | "smoke";

/** The same comparison; as a smoke one round, which tells no time that means anything. */
export const atEffort = <Any extends Pick<Comparison, "warmUp" | "rounds">>(
  comparison: Any,
  effort: Effort,
): Any => (effort === "full" ? comparison : { ...comparison, warmUp: 0, rounds: 1 });

/** What one round took, in nanoseconds an operation. */
export interface Round {
  readonly measured: number;
  readonly against: number;
}

/** The median of the rounds, and the quartiles around it. */
export interface Summary {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** A batch with one operation for each input. */
export const batchOf =
  <Input, Output>(
    inputs: readonly Input[],
    operation: (input: Input) => Output,
    isRight: (output: Output, input: Input) => boolean,
  ): Batch =>
  () => {
    let count = 0;
    for (const input of inputs) if (isRight(operation(input), input)) count += 1;
    return count;
  };

/** The next `size` of the values in each round, from the start again after the last. */
export const turn = <Value>(values: readonly Value[], size: number, round: number): readonly Value[] => {
  const start = (round * size) % values.length;
  return values.slice(start, start + size);
};

const nanosecondsEach = (milliseconds: number, count: number, size: number): number => {
  if (count !== size) throw new Error(`Only ${count} of ${size} results were right.`);
  return (milliseconds * 1e6) / size;
};

const time = (batch: Batch, size: number, clock: Clock): number => {
  const start = clock();
  const count = batch();
  return nanosecondsEach(clock() - start, count, size);
};

/**
 * Times both batches in turn, round after round, so that what slows the machine slows both. The order changes from
 * round to round: neither is always the one that finds the caches as parsing has left them.
 */
export const measure = (
  { size, warmUp, rounds, prepare }: Comparison,
  clock: Clock = () => performance.now(),
): readonly Round[] => {
  const taken: Round[] = [];
  for (let round = 0; round < warmUp + rounds; round += 1) {
    const pair = prepare(round);
    const first = round % 2 === 0 ? "measured" : "against";
    const second = round % 2 === 0 ? "against" : "measured";
    const times = { measured: 0, against: 0 };
    times[first] = time(pair[first], size, clock);
    times[second] = time(pair[second], size, clock);
    if (round >= warmUp) taken.push(times);
  }
  return taken;
};

/** The same for what has to be waited for: a flow over ports. */
export type AsyncBatch = () => Promise<number>;

export interface AsyncComparison extends Omit<Comparison, "prepare"> {
  readonly prepare: (
    round: number,
  ) => Promise<{ readonly measured: AsyncBatch; readonly against: AsyncBatch }>;
}

/** A batch that does one operation after the other. */
export const asyncBatchOf =
  <Input, Output>(
    inputs: readonly Input[],
    operation: (input: Input) => Promise<Output>,
    isRight: (output: Output, input: Input) => boolean,
  ): AsyncBatch =>
  async () => {
    let count = 0;
    for (const input of inputs) if (isRight(await operation(input), input)) count += 1;
    return count;
  };

/** As `measure`, for batches that have to be waited for. */
export const measureAsync = async (
  { size, warmUp, rounds, prepare }: AsyncComparison,
  clock: Clock = () => performance.now(),
): Promise<readonly Round[]> => {
  const taken: Round[] = [];
  for (let round = 0; round < warmUp + rounds; round += 1) {
    const pair = await prepare(round);
    const order = round % 2 === 0 ? (["measured", "against"] as const) : (["against", "measured"] as const);
    const times = { measured: 0, against: 0 };
    for (const name of order) {
      const start = clock();
      const count = await pair[name]();
      times[name] = nanosecondsEach(clock() - start, count, size);
    }
    if (round >= warmUp) taken.push(times);
  }
  return taken;
};

/** How many times as long the measured one takes. */
export const ratio = ({ measured, against }: Round): number => measured / against;

/** How many nanoseconds more the measured one takes. */
export const difference = ({ measured, against }: Round): number => measured - against;

/** The value below which the share `share` of `values` lies, between two of them in proportion. */
export const quantile = (values: readonly number[], share: number): number => {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (sorted.length - 1) * share;
  const below = sorted[Math.floor(at)] ?? NaN;
  const above = sorted[Math.ceil(at)] ?? NaN;
  return below + (above - below) * (at - Math.floor(at));
};

export const summarise = (values: readonly number[]): Summary => ({
  value: quantile(values, 0.5),
  low: quantile(values, 0.25),
  high: quantile(values, 0.75),
});
