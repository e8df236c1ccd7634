import { right } from "fp-ts/lib/Either.js";
import type { Step } from "./step.js";

/**
 * Lets everything else that waits run once: requests of others, timers, what sockets have received. Ports over a storage
 * that answers at once do not do that. A timer is what every runtime has (D-170).
 */
export const letOthersRun: Step<void> = async () => {
  await new Promise<void>((resolve) => {
    // eslint-disable-next-line no-restricted-globals -- it measures no time and decides nothing
    setTimeout(resolve, 0);
  });
  return right(undefined);
};

/** Some milliseconds of work. */
const perTurn = 32;

/** Works through a list that may be long, and lets others run now and then. */
export const inTurns =
  <A, B>(items: readonly A[], work: (item: A, index: number) => B): Step<readonly B[]> =>
  async () => {
    const results: B[] = [];
    for (const [index, item] of items.entries()) {
      if (index > 0 && index % perTurn === 0) await letOthersRun();
      results.push(work(item, index));
    }
    return right(results);
  };
