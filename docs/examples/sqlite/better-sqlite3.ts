import Database from "better-sqlite3";
import { type SqliteClient, migrate, sqliteStorage } from "matrix-third-party-invites/sqlite";

export const database = new Database(process.env["DATABASE_FILE"] ?? ":memory:", { timeout: 50 });
database.pragma("journal_mode = WAL");
database.pragma("synchronous = FULL");

const client: SqliteClient = {
  all: (statement, params) => {
    const prepared = database.prepare(statement);
    // It has numbered parameters as names, and refuses `all` where a statement answers with no rows.
    const named = Object.fromEntries(params.map((value, index) => [String(index + 1), value]));
    if (prepared.reader) return prepared.all(named);
    prepared.run(named);
    return [];
  },
};

await migrate(client);
export const storage = sqliteStorage(client);
