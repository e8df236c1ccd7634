import { describe, expect, it } from "vitest";
import type { ContractRunner } from "../../src/testing/contract/index.js";

/** A check, which a runner may give a context. */
type Check = (...context: readonly unknown[]) => Promise<void>;

export type NamedChecks = ReadonlyMap<string, Check>;

/** Vitest without its context: where nothing can race, the races are run all the same, and not shown as skipped. */
export const withoutContext: ContractRunner = {
  describe,
  it: Object.assign(
    (name: string, check: () => Promise<void>) => {
      it(name, () => check());
    },
    { skip: it.skip },
  ),
};

/** The checks that a kit gives its runner, by their names, of which none may come twice; none is run yet. */
export const collectChecks = (
  contract: (runner: ContractRunner) => void,
  skipped?: string[],
  titles?: string[],
): NamedChecks => {
  const checks = new Map<string, Check>();
  const add = (name: string, check: Check): void => {
    expect(checks.has(name), name).toBe(false);
    checks.set(name, check);
  };
  const skip = (name: string): unknown => skipped?.push(name);
  contract({
    describe: (title, run) => {
      titles?.push(title);
      run();
    },
    it: Object.assign(add, { skip }),
  });
  return checks;
};

/** What the checks say that fail, by their names. */
export const failures = async (checks: NamedChecks): Promise<ReadonlyMap<string, Error>> => {
  const failed = new Map<string, Error>();
  for (const [name, check] of checks)
    await check().catch((error: unknown) => {
      failed.set(name, error instanceof Error ? error : new Error(String(error)));
    });
  return failed;
};
