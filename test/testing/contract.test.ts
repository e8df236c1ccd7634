import { describe, expect, it } from "vitest";
import {
  type OpenStorage,
  type StorageAdapter,
  memoryInvites,
  memoryRedemptions,
  storageContract,
} from "matrix-third-party-invites/testing";
import { type Fault, type ToyState, emptyToy, faults, restarted, toy } from "./contract-toy.js";
import { isAll } from "../all.js";
import { type NamedChecks, collectChecks, failures } from "./contract-runs.js";
import { catches, caughtBy } from "./contract-faults.js";

describe("the ports in memory keep the contract", () => {
  storageContract(
    { describe, it },
    { open: () => Promise.resolve({ invites: memoryInvites(), redemptions: memoryRedemptions() }) },
  );
});

type ToyStorage = OpenStorage & { readonly state: ToyState };

const toyAdapter = (fault?: Fault): StorageAdapter<ToyStorage> => {
  const over = (state: ToyState): ToyStorage => ({ ...toy(state, fault), state });
  return {
    open: () => Promise.resolve(over(emptyToy())),
    connect: ({ state }) => Promise.resolve(over(state)),
    reopen: ({ state }) => Promise.resolve(over(restarted(state, fault))),
  };
};

describe("an adapter that keeps the contract passes", () => {
  storageContract({ describe, it }, toyAdapter());
});

const checksOf = <Storage extends OpenStorage>(adapter: StorageAdapter<Storage>, skipped?: string[]) =>
  collectChecks((runner) => {
    storageContract(runner, adapter);
  }, skipped);

/** What must catch a fault, and what has no fault of its own but must catch this one too. */
const checksFor = (fault: Fault): NamedChecks => {
  const names = new Set([caughtBy[fault], ...Object.keys(catches).filter((name) => catches[name] === fault)]);
  return new Map([...checksOf(toyAdapter(fault))].filter(([name]) => names.has(name)));
};

describe("an adapter that breaks the contract fails, by the name of what it breaks", () => {
  const caught = new Set<string>();

  it.each(faults)("%s", async (fault) => {
    const failed = await failures(isAll ? checksOf(toyAdapter(fault)) : checksFor(fault));
    for (const name of failed.keys()) caught.add(name);
    expect([...failed.keys()]).toContain(caughtBy[fault]);
    const { name, message } = failed.get(caughtBy[fault]) ?? new Error("no failure");
    // An adapter's own error is passed on as it is.
    if (name === "ContractBroken") expect(message).toMatch(/\.$/);
    else
      expect(message).toMatch(
        /^(too many parameters|a syntax error|a duplicate key|invalid byte sequence|deadlock detected)$/,
      );
  });

  it("leaves no check that catches nothing", () => {
    const idle = [...checksOf(toyAdapter()).keys()].filter((name) => !caught.has(name));
    expect(idle, "add them to `catches`, each with a fault; TEST_ALL=1 tries them all").toEqual([]);
  });
});

describe("storageContract", () => {
  it("says with skip what it cannot check without reopen", () => {
    const skipped: string[] = [];
    const { open } = toyAdapter();
    const checks = checksOf({ open }, skipped);
    expect(skipped.length).toBeGreaterThan(5);
    expect(checks.size + skipped.length).toBe(checksOf(toyAdapter()).size);
  });

  it("closes what it has opened, however a check ends, but for what was left by a restart", async () => {
    const open = new Set<string>();
    let opened = 0;
    const track = (state: ToyState): ToyStorage => {
      opened += 1;
      const name = String(opened);
      open.add(name);
      return {
        ...toy(state, "lease holds nothing"),
        state,
        close: () => {
          expect(open.delete(name)).toBe(true);
          return Promise.resolve();
        },
      };
    };
    const left = new Set<ToyState>();
    const failed = await failures(
      checksOf<ToyStorage>({
        open: () => Promise.resolve(track(emptyToy())),
        connect: ({ state }) => Promise.resolve(track(state)),
        reopen: async (storage) => {
          await storage.close?.();
          left.add(storage.state);
          return track(restarted(storage.state));
        },
      }),
    );
    expect(failed.size).toBeGreaterThan(0);
    expect(left.size).toBeGreaterThan(5);
    expect([...open]).toEqual([]);
  });
});
