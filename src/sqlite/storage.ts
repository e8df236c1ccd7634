import { type Storage, sqlStorage } from "../storage/sql/storage.js";
import { type SqliteClient, databaseOf } from "./client.js";

/**
 * The ports `invites`, `redemptions` and `limits` on SQLite 3.38 or later, over one statement for each call. `migrate`
 * makes their tables.
 *
 * @example
 * const db = new DatabaseSync("./data.sqlite", { timeout: 50 });
 * const storage = sqliteStorage({ all: (text, params) => db.prepare(text).all(...params) });
 * const { mark } = await storage.invites.putIfAbsent(record, {});
 * await storage.invites.replace(later, mark, {}); // { _tag: "Replaced", mark: "…" }
 */
export const sqliteStorage = (client: SqliteClient): Storage => sqlStorage(databaseOf(client));
