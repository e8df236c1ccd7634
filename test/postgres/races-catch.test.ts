import type pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type OpenStorage, storageContract } from "matrix-third-party-invites/testing";
import { connectPool, hostOf, migratedSchema, postgresUrl, storageIn } from "./servers.js";

/** What could be left out of a statement, and the race that shows it. */
const mistakes = [
  {
    without: /FOR UPDATE SKIP LOCKED/g,
    instead: "",
    race: "of racing claims no two hold one row, and none is empty while a row is due and free",
  },
  {
    without: /AND mark = (CAST\(\$\d+ AS text\))/g,
    instead: "AND $1 IS NOT NULL",
    race: "of racing replace under one mark exactly one succeeds, and its record is stored",
  },
  {
    without: /SET is_new = 0/g,
    instead: "SET mark = excluded.mark",
    race: "of racing putIfAbsent one record is stored, everybody is answered with it, and it is new to one",
  },
  {
    // The rows come in one order; so this one takes another each time.
    without: /WHERE true/g,
    instead: "ORDER BY random()",
    race: "of racing puts each row is new to one, and nobody fails, in whatever order they bring them",
  },
] as const;

describe.skipIf(postgresUrl === undefined)("the races over many connections catch a statement", () => {
  let pool: pg.Pool;
  beforeAll(() => {
    pool = connectPool();
  });
  afterAll(() => pool.end());

  it.each(mistakes)("without $without", async ({ without, instead, race }) => {
    let isChanged = false;
    const connection = (schema: string): OpenStorage & { readonly schema: string } => {
      const own = connectPool(1);
      const client = {
        query: (text: string, params: (string | null)[]) => {
          const changed = text.replaceAll(without, instead);
          isChanged ||= changed !== text;
          return own.query(changed, params);
        },
      };
      return { ...storageIn(client, schema), close: () => own.end() };
    };
    const checks = new Map<string, () => Promise<void>>();
    storageContract(
      {
        describe: (_title, run) => {
          run();
        },
        it: (name, check) => checks.set(name, check),
      },
      {
        open: async () => connection(await migratedSchema(hostOf(pool))),
        connect: ({ schema }) => Promise.resolve(connection(schema)),
      },
    );
    const run = checks.get(race);
    // It is a matter of luck, but not of much.
    const attempts = async (): Promise<void> => {
      for (let attempt = 0; attempt < 40; attempt += 1) await run?.();
    };
    await expect(attempts()).rejects.toThrow();
    expect(isChanged).toBe(true);
  });
});
