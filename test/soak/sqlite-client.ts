import type { SqliteClient } from "matrix-third-party-invites/sqlite";

/** A connection of node:sqlite to a file. What finds the file busy for longer than this fails. */
export const openSqlite = async (
  file: string,
  busyMs: number,
): Promise<{ readonly client: SqliteClient; readonly close: () => void }> => {
  // Only where it is used: not every Node has it.
  const { DatabaseSync } = await import("node:sqlite");
  const database = new DatabaseSync(file);
  database.exec(`PRAGMA busy_timeout = ${busyMs}; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL`);
  return {
    client: { all: (statement, params) => database.prepare(statement).all(...params) },
    close: () => {
      database.close();
    },
  };
};
