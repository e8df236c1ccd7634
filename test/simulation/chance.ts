/** Everything that a run leaves to chance, drawn from one seed. */
export interface Chance {
  /** Evenly from 0 up to, but not, 1. */
  readonly fraction: () => number;
  /** An integer from 0 up to, but not, `limit`. */
  readonly below: (limit: number) => number;
  readonly happens: (probability: number) => boolean;
  readonly pick: <T>(items: readonly T[]) => T;
}

/** Spreads a seed over 32 bits and on to the next (splitmix32). */
const splitmix = (seed: number): (() => number) => {
  let state = seed | 0;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = state ^ (state >>> 16);
    mixed = Math.imul(mixed, 0x21f0aaad);
    mixed ^= mixed >>> 15;
    mixed = Math.imul(mixed, 0x735a2d97);
    return (mixed ^ (mixed >>> 15)) | 0;
  };
};

/** The generator sfc32, seeded by splitmix32: four words of state, integers only, the same on every machine. */
export const chanceFrom = (seed: number): Chance => {
  const word = splitmix(seed);
  let [a, b, c, count] = [word(), word(), word(), 1];

  const next = (): number => {
    const sum = (((a + b) | 0) + count) | 0;
    count = (count + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return sum >>> 0;
  };
  for (let round = 0; round < 12; round += 1) next();

  const fraction = (): number => next() / 2 ** 32;
  const below = (limit: number): number => Math.floor(fraction() * limit);
  return {
    fraction,
    below,
    happens: (probability) => fraction() < probability,
    pick: (items) => {
      for (const item of items.slice(below(items.length))) return item;
      throw new Error("There is nothing to pick from.");
    },
  };
};
