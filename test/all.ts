/**
 * Whether all is asked for (`npm run test:all`). Else what says the same thing again and again is tried on a sample, the same
 * one each time.
 */
export const isAll = process.env["TEST_ALL"] === "1";

/** Every so many of these, the first one too; all of them where all is asked for. */
export const sampled = <A>(items: readonly A[], step: number, always: (item: A) => boolean = () => false) =>
  items.filter((item, at) => isAll || at % step === 0 || always(item));
