import type pg from "pg";
import { afterAll, beforeAll, describe, it } from "vitest";
import { storageContract } from "matrix-third-party-invites/testing";
import { connectPool, hostOf, migratedSchema, postgresUrl, storageIn } from "./servers.js";

describe.skipIf(postgresUrl === undefined)("storage on PostgreSQL keeps the contract", () => {
  let pool: pg.Pool;

  beforeAll(() => {
    pool = connectPool();
  });
  afterAll(() => pool.end());

  /** A connection and nothing else: what it does is done one after the other, beside what the others do. */
  const connection = (schema: string) => {
    const own = connectPool(1);
    // It is told when it is killed below.
    own.on("error", () => undefined);
    own.on("connect", (client) => client.on("error", () => undefined));
    return { ...storageIn(own, schema), own, close: () => own.end() };
  };

  storageContract(
    { describe, it },
    {
      open: async () => connection(await migratedSchema(hostOf(pool))),
      connect: ({ schema }) => Promise.resolve(connection(schema)),
      reopen: async ({ own, schema }) => {
        // As when a process is killed: nobody waits for what is under way.
        await pool.query(
          "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND query LIKE $1",
          [`%"${schema.replaceAll('"', '""')}"%`],
        );
        void own.end();
        return connection(schema);
      },
    },
  );
});
