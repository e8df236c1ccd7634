import { type PostgresOptions, type SqlClient, type SqlHost, type Tables, tablesOf } from "./client.js";
import { migrations } from "./migrations.js";
import { numberOf } from "../storage/sql-row.js";

/** Any number will do that no other program locks; all migrations of a database wait for each other. */
const lock = "7235419024551183746";

const versionOf = async (client: SqlClient, tables: Tables): Promise<number> => {
  await client.query(
    `CREATE TABLE IF NOT EXISTS ${tables.migrations} (
      version integer PRIMARY KEY,
      applied_at timestamptz NOT NULL DEFAULT now()
    )`,
    [],
  );
  const { rows } = await client.query(
    `SELECT coalesce(max(version), 0) AS version FROM ${tables.migrations}`,
    [],
  );
  const [row] = rows;
  if (row === undefined) throw new Error("The database did not say which version its tables have.");
  return numberOf(row, "version");
};

/**
 * Brings the tables to the version that this release knows: makes them where there are none, changes nothing where they
 * have it. Call it when the server starts, before the ports are used; of several servers that start at once, one does
 * the work. Answers with the versions that it has applied. Rejects if a later release was here already.
 *
 * @example
 * await migrate(new PGlite("./data")); // [1]
 * await migrate({ transaction }, { schema: "matrix" }); // [], if there is nothing to do
 */
export const migrate = (host: SqlHost, options: PostgresOptions = {}): Promise<readonly number[]> => {
  const tables = tablesOf(options);
  return host.transaction(async (client) => {
    // What another server has done before it gave up the lock must be seen.
    await client.query("SET TRANSACTION ISOLATION LEVEL READ COMMITTED", []);
    await client.query("SELECT pg_advisory_xact_lock($1::bigint)", [lock]);
    const version = await versionOf(client, tables);
    if (version > migrations.length)
      throw new Error(
        `The tables have version ${version}; this release knows version ${migrations.length} and none after it.`,
      );
    const applied: number[] = [];
    for (const [index, statements] of migrations.entries()) {
      if (index < version) continue;
      for (const statement of statements(tables)) await client.query(statement, []);
      await client.query(`INSERT INTO ${tables.migrations} (version) VALUES ($1::integer)`, [
        String(index + 1),
      ]);
      applied.push(index + 1);
    }
    return applied;
  });
};
