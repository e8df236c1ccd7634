import { isDeepStrictEqual } from "node:util";
import type { CryptoEngine, JsonObject, SigningKey } from "matrix-third-party-invites/ports";

/** What the library was asked, what the data expects, and what the library said. */
export interface Answer {
  readonly question: string;
  readonly expected: unknown;
  readonly said: unknown;
}

export interface Engine {
  readonly name: string;
  readonly crypto: CryptoEngine;
  readonly signingKey: (keyId: string, seed: Uint8Array) => SigningKey;
  /** Of the bits of a proof every so many are turned. */
  readonly bitStep: number;
}

export interface Case {
  /** Its `id` or `name`. */
  readonly name: string;
  /** Whether the data decides the answer. If not, an answer is required, but no particular one. */
  readonly isDecided: boolean;
  /** Whether the answer hangs on what a signature may look like, in which engines are known to differ. */
  readonly isEdge?: boolean;
  readonly ask: (engine: Engine) => readonly Answer[];
}

/** Makes the case of one row of data, `undefined` where the row has another shape. */
export type CaseReader = (row: JsonObject) => Case | undefined;

export interface Disagreement extends Answer {
  readonly case: string;
  readonly engine: string;
}

/** What an engine got wrong first, if anything. That nothing throws is required of undecided cases too. */
export const disagreement = (
  { name, isDecided, ask }: Case,
  asked: readonly Engine[],
): Disagreement | undefined => {
  for (const engine of asked) {
    const of = { case: name, engine: engine.name };
    try {
      const wrong = ask(engine).find(({ expected, said }) => !isDeepStrictEqual(said, expected));
      if (isDecided && wrong !== undefined) return { ...of, ...wrong };
    } catch (thrown) {
      return { ...of, question: "does it answer", expected: "an answer", said: `threw ${String(thrown)}` };
    }
  }
  return undefined;
};

/** How the library fares with a file's cases. Skipped are those that the data does not decide. */
export interface Tally {
  readonly cases: number;
  readonly agree: number;
  readonly disagree: number;
  readonly skipped: number;
  readonly disagreements: readonly Disagreement[];
}

export const tally = (
  cases: readonly Case[],
  enginesOf: (one: Case, at: number) => readonly Engine[],
  progress?: (done: number) => void,
): Tally => {
  const disagreements: Disagreement[] = [];
  let skipped = 0;
  cases.forEach((one, at) => {
    progress?.(at);
    const found = disagreement(one, enginesOf(one, at));
    if (found !== undefined) disagreements.push(found);
    else if (!one.isDecided) skipped += 1;
  });
  const disagree = disagreements.length;
  return { cases: cases.length, agree: cases.length - disagree - skipped, disagree, skipped, disagreements };
};

export const has = (row: JsonObject, ...names: readonly string[]): boolean =>
  names.every((name) => Object.hasOwn(row, name));
