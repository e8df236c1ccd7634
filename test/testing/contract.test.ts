import { describe, expect, it } from "vitest";
import {
  type OpenStorage,
  type StorageAdapter,
  memoryInvites,
  memoryLimits,
  memoryRedemptions,
  storageContract,
} from "matrix-third-party-invites/testing";
import { isAll } from "../all.js";
import { type Fault, catches, caughtBy, faults } from "./contract-faults.js";
import { type NamedChecks, collectChecks, failures, withoutContext } from "./contract-runs.js";
import { restarted, toy } from "./contract-toy.js";
import { type ToyState, emptyToy } from "./contract-toy-state.js";

const inMemory = (): Promise<OpenStorage> =>
  Promise.resolve({ invites: memoryInvites(), redemptions: memoryRedemptions(), limits: memoryLimits() });

describe("the ports in memory keep the contract", () => {
  storageContract(withoutContext, { open: inMemory });
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

const checksOf = <Storage extends OpenStorage>(
  adapter: StorageAdapter<Storage>,
  skipped?: string[],
  titles?: string[],
) =>
  collectChecks(
    (runner) => {
      storageContract(runner, adapter);
    },
    skipped,
    titles,
  );

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
  it("leaves out what needs more than it was given, and says what it needs", () => {
    const skipped: string[] = [];
    const titles: string[] = [];
    const { open } = toyAdapter();
    const checks = checksOf({ open }, skipped, titles);
    expect(skipped.length).toBeGreaterThan(5);
    expect(skipped.every((name) => name.endsWith(" (needs reopen)"))).toBe(true);
    expect(checks.size + skipped.length).toBe(checksOf(toyAdapter()).size);
    expect(titles).toEqual([
      "invites",
      "redemptions",
      "limits",
      "races over one connection: what several do to each other needs `connect`",
      "after a restart: needs reopen",
    ]);
  });

  it.each([
    ["an object, as of node:test", (skip: (why: string) => void) => ({ skip })],
    ["a function, as of vitest", (skip: (why: string) => void) => Object.assign(() => undefined, { skip })],
  ])(
    "says of a driver that answers at once what it could not see, by a context that is %s",
    async (_, contextOf) => {
      const saidOf = async <Storage extends OpenStorage>(adapter: StorageAdapter<Storage>) => {
        const said: string[] = [];
        const race = checksOf(adapter).get("of racing takes as many succeed as the bucket holds");
        await race?.(contextOf((why) => said.push(why)));
        return said;
      };
      const [said = "", ...more] = await saidOf({ open: inMemory, connect: (own) => Promise.resolve(own) });
      expect(said).toMatch(/^Nothing could race: .* two processes .* `connect` .*\.$/);
      expect(more).toEqual([]);
      expect(await saidOf(toyAdapter())).toEqual([]);
    },
  );

  it("closes what it has opened, however a check ends, but for what was left by a restart", async () => {
    const open = new Set<string>();
    let opened = 0;
    const track = (state: ToyState): ToyStorage => {
      opened += 1;
      const name = String(opened);
      open.add(name);
      return {
        ...toy(state, "claim holds nothing"),
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
