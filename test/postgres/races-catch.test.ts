import type pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type OpenStorage, storageContract } from "matrix-third-party-invites/testing";
import { connectPool, hostOf, migratedSchema, postgresUrl, storageIn } from "./servers.js";

/** What could be left out of a statement, and the race that shows it. */
const mistakes = [
  {
    without: "FOR UPDATE SKIP LOCKED",
    instead: "",
    race: "of racing lease no two are handed one row, and each row is handed to somebody",
  },
  {
    without: "AND mark::text = $10::text",
    instead: "AND $10::text IS NOT NULL",
    race: "of racing replace under one mark exactly one succeeds, and its record is stored",
  },
  {
    without: "SET key = present.key",
    instead: "SET created_at = excluded.created_at",
    race: "of racing putIfAbsent one record is stored, and everybody is answered with it",
  },
  {
    without: "(xmax = 0)",
    instead: "(xmin IS NOT NULL)",
    race: "of racing putIfAbsent isNew is true for exactly one, whose record is stored",
  },
  {
    without: "AND held.lease::text = $5::text",
    instead: "AND $5::text IS NOT NULL",
    race: "of a holder and whoever took the row over, the second alone settles it",
  },
  {
    without: "FOR UPDATE\n        )",
    instead: ")",
    race: "racing settlements and postponements of one token's rows all go through, and Redeemed ends all",
  },
  {
    without: 'ORDER BY proof COLLATE "C"',
    instead: "ORDER BY lease",
    race: "racing settlements and postponements of one token's rows all go through, and Redeemed ends all",
  },
  {
    without: "greatest(row.due_at, $7::double precision)",
    instead: "coalesce($7::double precision, row.due_at)",
    race: "of the holder's Again and a postpone, the later time counts",
  },
  {
    without: 'ORDER BY room_id COLLATE "C", token COLLATE "C", mxid COLLATE "C", proof COLLATE "C"',
    instead: "",
    race: "of racing owe each row is added once, and nobody fails, in whatever order they bring them",
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
          isChanged ||= text.includes(without);
          return own.query(text.replace(without, instead), params);
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
