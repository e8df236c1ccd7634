import { applyMigrations } from "../storage/sql/migrate.js";
import { sql } from "../storage/sql/statement.js";
import { type PostgresOptions, type SqlHost, databaseIn } from "./client.js";

/** Any number will do that no other program locks; all migrations of a database wait for each other. */
const lock = "7235419024551183746";

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
  const databaseOf = databaseIn(options);
  return host.transaction(async (client) => {
    const database = databaseOf(client);
    // What another server has done before it gave up the lock must be seen.
    await database.ask(sql`SET TRANSACTION ISOLATION LEVEL READ COMMITTED`, {});
    await database.ask(sql`SELECT pg_advisory_xact_lock(CAST(${lock} AS bigint))`, {});
    return applyMigrations(database);
  });
};
