import sqlite from "node-sqlite3-wasm";
import { describe, expect, it, vi } from "vitest";
import type { sqliteStorage } from "matrix-third-party-invites/sqlite";
import { owed, record } from "../testing/memory/samples.js";

type Params = readonly string[];
type Rows = Record<string, unknown>[];

/** What the drivers that are not installed here have in common, over the one that is. */
class StandIn {
  readonly #database = new sqlite.Database(":memory:");
  pragma(): void {
    // WebAssembly knows no WAL.
  }
  exec(): void {
    // Nor a time to wait for others.
  }
  run(): void {
    // As above.
  }
  all(statement: string, params: Params): Rows {
    return this.#database.all(statement, [...params]);
  }
  query(statement: string) {
    return { all: (...params: Params) => this.all(statement, params) };
  }
}

vi.mock("node:sqlite", () => ({
  DatabaseSync: class extends StandIn {
    prepare(statement: string) {
      return this.query(statement);
    }
  },
}));

vi.mock("bun:sqlite", () => ({ Database: StandIn }));

vi.mock("better-sqlite3", () => ({
  default: class extends StandIn {
    prepare(statement: string) {
      const all = (...params: Params): Rows => this.all(statement, params);
      // It refuses `all` where a statement answers with no rows.
      const reader = /\bRETURNING\b|^\s*SELECT\b/i.test(statement);
      return {
        reader,
        all: (...params: Params) => {
          if (!reader) throw new TypeError("This statement does not return data. Use run() instead");
          return all(...params);
        },
        run: all,
      };
    }
  },
}));

const useIt = async (storage: ReturnType<typeof sqliteStorage>): Promise<void> => {
  const { value } = await storage.invites.putIfAbsent(record("how@x.example"), {});
  expect(await storage.invites.find(value.key, {})).toMatchObject({ value });
  const row = owed("how-to");
  expect(await storage.redemptions.put([row], {})).toEqual([row.id]);
  const bucket = { key: "k", cost: 1, now: 0, intervalMs: 10, burst: 1 };
  expect(await storage.limits.take(bucket, {})).toEqual({ isTaken: true, fullAt: 10 });
};

describe("docs/how-to/sqlite.md", () => {
  it.each(["node-sqlite", "better-sqlite3", "bun", "wasm"])("%s.ts wires its driver in", async (name) => {
    const { storage } = (await import(`../../docs/examples/sqlite/${name}.ts`)) as {
      readonly storage: Parameters<typeof useIt>[0];
    };
    await useIt(storage);
  });

  it("d1.ts wires the binding of a Worker in", async () => {
    const database = new StandIn();
    const d1 = {
      prepare: (statement: string) => ({
        bind: (...params: Params) => ({
          all: () => Promise.resolve({ results: database.all(statement, params) }),
        }),
      }),
    };
    const { migrateD1, storageOn } = await import("../../docs/examples/sqlite/d1.js");
    expect(await migrateD1(d1)).toEqual([1]);
    await useIt(storageOn(d1));
  });
});
