import type { Checks, ContractRunner } from "./runner.js";

/** Something that a check opens. */
export interface Closable {
  /** Called when a check is over. */
  readonly close?: () => Promise<void>;
}

/** How an adapter is opened: alone, once more beside itself, and again after its process has died. */
export interface Sessions<Base extends Closable, Own extends Base> {
  readonly open: () => Promise<Own>;
  readonly connect?: (own: Own) => Promise<Base>;
  readonly reopen?: (own: Own) => Promise<Base>;
}

/** How many race. */
const racing = 6;

/** What a check has open. */
interface Opened<Base extends Closable> {
  readonly add: <One extends Base>(one: One) => One;
  readonly forget: (one: Base) => void;
}

/** Runs a check, and closes what it has open, the last first, however it ends. */
const closing = async <Base extends Closable>(
  run: (opened: Opened<Base>) => Promise<void>,
): Promise<void> => {
  const all = new Set<Base>();
  try {
    await run({
      add: (one) => {
        all.add(one);
        return one;
      },
      forget: (one) => all.delete(one),
    });
  } finally {
    for (const one of [...all].reverse()) await one.close?.();
  }
};

/** One or more, each independent of the others where the adapter can have that. */
export type Many<Base> = readonly [Base, ...Base[]];

/** A race is lost or won by chance: one that goes well once shows nothing. */
export const rounds = 20;

/** Everybody at once; the answers in the order of the racers. */
export const race = <Racer, A>(
  racers: readonly Racer[],
  run: (racer: Racer, index: number) => Promise<A>,
): Promise<readonly A[]> => Promise.all(racers.map(run));

/** The ways to run a check over what an adapter opens. */
export const waysToRun = <Base extends Closable, Own extends Base>({
  open,
  connect,
  reopen,
}: Sessions<Base, Own>) => ({
  alone: (check: (one: Own) => Promise<void>): Promise<void> =>
    closing<Base>(async (opened) => check(opened.add(await open()))),

  racesTitle: connect === undefined ? "races over one connection" : "races over many connections",

  racing: (check: (racers: Many<Base>) => Promise<void>): Promise<void> =>
    closing<Base>(async (opened) => {
      const first = opened.add(await open());
      const others: Base[] = [];
      for (let index = 1; index < racing; index += 1)
        others.push(connect === undefined ? first : opened.add(await connect(first)));
      await check([first, ...others]);
    }),

  /** `restart` may be asked once: the process of the first has died. */
  mortal:
    reopen === undefined
      ? undefined
      : (check: (first: Own, restart: () => Promise<Base>) => Promise<void>): Promise<void> =>
          closing<Base>(async (opened) => {
            const first = opened.add(await open());
            await check(first, async () => {
              const next = await reopen(first);
              opened.forget(first);
              return opened.add(next);
            });
          }),
});

/** A group of checks by their names; skipped where there is no way to run them. */
export const eachOf =
  ({ describe, it }: ContractRunner) =>
  <Subject>(
    title: string,
    checks: Checks<Subject>,
    run: ((check: (subject: Subject) => Promise<void>) => Promise<void>) | undefined,
  ): void => {
    describe(title, () => {
      for (const [name, check] of Object.entries(checks))
        if (run === undefined) it.skip?.(name, () => Promise.resolve());
        else it(name, () => run(check));
    });
  };
