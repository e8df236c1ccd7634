import { type Storage, sqlStorage } from "../storage/sql/storage.js";
import { type PostgresOptions, type SqlClient, databaseIn } from "./client.js";

/**
 * The ports `invites`, `redemptions` and `limits` on PostgreSQL 13 or later, over one statement for each call. `migrate`
 * makes their tables.
 *
 * @example
 * const storage = postgresStorage(new Pool({ connectionString }));
 * const { mark } = await storage.invites.putIfAbsent(record, {});
 * await storage.invites.replace(later, mark, {}); // { _tag: "Replaced", mark: "…" }
 */
export const postgresStorage = (client: SqlClient, options: PostgresOptions = {}): Storage =>
  sqlStorage(databaseIn(options)(client));
