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

/** More steps than an adapter takes around its driver. */
const ownSteps = 1_000;

/** Whether a call is answered before anything but promises could go on: its driver does not wait for anybody. */
const isSynchronous = async (call: Promise<unknown>): Promise<boolean> => {
  const seen = { isOver: false };
  const over = (): void => {
    seen.isOver = true;
  };
  void call.then(over, over);
  for (let step = 0; step < ownSteps && !seen.isOver; step += 1) await Promise.resolve();
  return seen.isOver;
};

const nothingRaced =
  "Nothing could race: this driver answers each call before another begins. What two processes do to each other was not seen; give `connect` the ports of another process or worker.";

/** The ways to run a check over what an adapter opens. `ask` is any call: with it, races find out whether they are any. */
export const waysToRun = <Base extends Closable, Own extends Base>(
  { open, connect, reopen }: Sessions<Base, Own>,
  ask?: (one: Base) => Promise<unknown>,
) => ({
  alone: (check: (one: Own) => Promise<void>): Promise<void> =>
    closing<Base>(async (opened) => check(opened.add(await open()))),

  racesTitle:
    connect === undefined
      ? "races over one connection: what several do to each other needs `connect`"
      : "races over many connections",

  racing: (check: (racers: Many<Base>) => Promise<void>, unseen: Unseen): Promise<void> =>
    closing<Base>(async (opened) => {
      const first = opened.add(await open());
      const others: Base[] = [];
      for (let index = 1; index < racing; index += 1)
        others.push(connect === undefined ? first : opened.add(await connect(first)));
      await check([first, ...others]);
      if (ask !== undefined && (await isSynchronous(ask(others.at(-1) ?? first)))) unseen(nothingRaced);
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

/** Told why a check that went well has not seen what it is about. */
export type Unseen = (why: string) => void;

interface Skippable {
  readonly skip: (why: string) => unknown;
}

/** The context of vitest is a function. */
const isSkippable = (context: unknown): context is Skippable =>
  ((typeof context === "object" && context !== null) || typeof context === "function") &&
  "skip" in context &&
  typeof context.skip === "function";

/** A group of checks by their names; where there is no way to run them, they are skipped for want of what they need. */
export const eachOf =
  ({ describe, it }: ContractRunner) =>
  <Subject>(
    title: string,
    checks: Checks<Subject>,
    run: ((check: (subject: Subject) => Promise<void>, unseen: Unseen) => Promise<void>) | undefined,
    needs = "",
  ): void => {
    describe(run === undefined ? `${title}: needs ${needs}` : title, () => {
      for (const [name, check] of Object.entries(checks))
        if (run === undefined) it.skip?.(`${name} (needs ${needs})`, () => Promise.resolve());
        else
          it(name, (...[context]) =>
            run(check, (why) => {
              if (isSkippable(context)) context.skip(why);
            }),
          );
    });
  };
