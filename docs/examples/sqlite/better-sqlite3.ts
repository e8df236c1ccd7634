import Database from "better-sqlite3";
import { type SqliteClient, migrate, sqliteStorage } from "matrix-third-party-invites/sqlite";

export const database = new Database(process.env["DATABASE_FILE"] ?? ":memory:", { timeout: 50 });
database.pragma("journal_mode = WAL");
database.pragma("synchronous = FULL");

const client: SqliteClient = {
  all: (statement, params) => {
    const prepared = database.prepare(statement);
    if (prepared.reader) return prepared.all(...params);
    // It refuses `all` where a statement answers with no rows, as those of `migrate`.
    prepared.run(...params);
    return [];
  },
};

await migrate(client);
export const storage = sqliteStorage(client);
