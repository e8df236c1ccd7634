import { expect } from "vitest";
import type { ContractRunner } from "../../src/testing/contract/index.js";

export type NamedChecks = ReadonlyMap<string, () => Promise<void>>;

/** The checks that a kit gives its runner, by their names, of which none may come twice; none is run yet. */
export const collectChecks = (
  contract: (runner: ContractRunner) => void,
  skipped?: string[],
): NamedChecks => {
  const checks = new Map<string, () => Promise<void>>();
  const add = (name: string, check: () => Promise<void>): void => {
    expect(checks.has(name), name).toBe(false);
    checks.set(name, check);
  };
  const skip = (name: string): unknown => skipped?.push(name);
  contract({
    describe: (_title, run) => {
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
