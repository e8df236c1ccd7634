/** What the kit needs of a test runner; that of vitest, jest, mocha and `node:test` has it. */
export interface ContractRunner {
  readonly describe: (name: string, checks: () => void) => unknown;
  /** A check that is given a context with `skip` skips itself, with the reason, where it could not see anything. */
  readonly it: ((name: string, check: (...context: readonly unknown[]) => Promise<void>) => unknown) & {
    /** Without it, checks that cannot be made are left out without a word. */
    readonly skip?: (name: string, check: () => Promise<void>) => unknown;
  };
}

/** A promise of a contract that an adapter does not keep, in words. */
export class ContractBroken extends Error {
  override readonly name = "ContractBroken";
}

/** Checks by their names; a name is what the contract promises. */
export type Checks<Subject> = Readonly<Record<string, (subject: Subject) => Promise<void>>>;
