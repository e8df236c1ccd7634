import { randomUUID } from "node:crypto";
import pg from "pg";
import { type SqlClient, type SqlHost, migrate, postgresStorage } from "matrix-third-party-invites/postgres";
import type { OpenStorage } from "matrix-third-party-invites/testing";
import { PGlite } from "./pglite.js";

/** Where a real PostgreSQL is, if there is one: see `with-postgres.sh`. */
export const postgresUrl = process.env["TEST_POSTGRES_URL"];

/** Storage in a schema of its own, so that one server has room for all tests. */
export type SchemaStorage = OpenStorage & { readonly schema: string };

export const newSchema = async (client: SqlClient): Promise<string> => {
  // Needs its quotation marks, as the names of some hosts do.
  const schema = `Test "${randomUUID()}"`;
  await client.query(`CREATE SCHEMA "${schema.replaceAll('"', '""')}"`, []);
  return schema;
};

export const storageIn = (client: SqlClient, schema: string): SchemaStorage => ({
  ...postgresStorage(client, { schema }),
  schema,
});

export const migratedSchema = async (host: SqlClient & SqlHost): Promise<string> => {
  const schema = await newSchema(host);
  await migrate(host, { schema });
  return schema;
};

export const connectPool = (max = 10): pg.Pool => new pg.Pool({ connectionString: postgresUrl, max });

/** A pool as `migrate` needs it. */
export const hostOf = (pool: pg.Pool): SqlClient & SqlHost => ({
  query: (text, params) => pool.query(text, params),
  transaction: async (work) => {
    const client = await pool.connect();
    try {
      await client.query("BEGIN");
      const result = await work(client);
      await client.query("COMMIT");
      return result;
    } catch (error) {
      await client.query("ROLLBACK");
      throw error;
    } finally {
      client.release();
    }
  },
});

/** Each of the two that there may be, for tests that hold for both. */
export const servers: readonly {
  readonly name: string;
  readonly isThere: boolean;
  readonly start: () => Promise<SqlClient & SqlHost & { readonly stop: () => Promise<void> }>;
}[] = [
  {
    name: "PGlite",
    isThere: true,
    start: async () => {
      const db = await PGlite.create();
      return {
        query: (text, params) => db.query(text, params),
        transaction: (work) => db.transaction(work),
        stop: () => db.close(),
      };
    },
  },
  {
    name: "PostgreSQL",
    isThere: postgresUrl !== undefined,
    start: () => {
      const pool = connectPool();
      return Promise.resolve({ ...hostOf(pool), stop: () => pool.end() });
    },
  },
];
