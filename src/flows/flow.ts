import type { Ports } from "../ports.js";
import type { Context } from "./steps/context.js";
import type { Step } from "./steps/step.js";

/** A public flow: the ports that it needs, and its steps. */
export interface Flow<Needs extends keyof Ports, Command, Outcome> {
  readonly needs: readonly Needs[];
  readonly steps: (context: Context<Needs>, command: Command) => Step<Outcome>;
}

/** A flow whose needs are written once: its steps get those ports and no others. */
export const defineFlow =
  <const Needs extends readonly (keyof Ports)[]>(...needs: Needs) =>
  <Command, Outcome>(
    steps: (context: Context<Needs[number]>, command: Command) => Step<Outcome>,
  ): Flow<Needs[number], Command, Outcome> => ({ needs, steps });
