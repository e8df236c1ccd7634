import type fc from "fast-check";

/** One property, as data: a test runs it a little, `npm run fuzz` a lot. */
export interface FuzzProperty {
  readonly name: string;
  /** About how many milliseconds one input takes. */
  readonly cost: number;
  /** How much of the time it gets, against the others. */
  readonly share: number;
  readonly property: fc.IRawProperty<unknown>;
}
