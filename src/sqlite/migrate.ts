import { applyMigrations } from "../storage/sql/migrate.js";
import { type SqliteClient, databaseOf } from "./client.js";

/**
 * Brings the tables to the version that this release knows: makes them where there are none, changes nothing where they
 * have it. Call it when the server starts, before the ports are used; several that start at once do no harm, and one that
 * was stopped in its middle is called again. Answers with the versions that it has applied. Rejects if a later release
 * was here already.
 *
 * @example
 * await migrate(client); // [1]
 * await migrate(client); // [], since there is nothing to do
 */
export const migrate = (client: SqliteClient): Promise<readonly number[]> =>
  applyMigrations(databaseOf(client));
