import type * as Undici from "undici";

/** undici has classes of its own, which its types keep apart from the runtime's; they have the same members. */
export type SendWith = (
  url: URL,
  init: Omit<RequestInit, "dispatcher"> & { readonly dispatcher: Undici.Dispatcher },
) => Promise<Response>;

export interface LoadedUndici {
  readonly Agent: typeof Undici.Agent;
  readonly send: SendWith;
}

const importUndici = (): Promise<typeof Undici> =>
  import("undici").catch((cause: unknown) => {
    // In a bundle it may be there and not load; advice to install it would mislead.
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Error(
      `guardedFetch needs undici, which did not load (${why}). If it is not installed: npm install undici@7. A bundler must leave it out of the bundle.`,
      { cause },
    );
  });

/**
 * The package undici, once its `fetch` was seen to use the dispatcher that it is given. What bears the same name in Bun,
 * or takes its place in a bundle, may not, and then no address would be checked. The request of this test goes nowhere.
 */
export const loadUndici = async (): Promise<LoadedUndici> => {
  const { Agent, fetch } = await importUndici();
  const send = fetch as unknown as SendWith;
  const asked = new Error("The dispatcher was asked.");
  let cause: unknown;
  try {
    const dispatcher = new Agent().compose(() => () => {
      throw asked;
    });
    await send(new URL("https://guard.invalid/"), { dispatcher });
  } catch (thrown) {
    cause = thrown;
  }
  if (!(cause instanceof Error) || cause.cause !== asked)
    throw new Error(
      "guardedFetch needs the package undici, version 7: what was loaded under its name does not let addresses be checked. Bun has an undici of its own.",
      { cause },
    );
  return { Agent, send };
};
