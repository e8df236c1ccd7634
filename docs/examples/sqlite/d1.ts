import { type SqliteClient, type SqlRow, migrate, sqliteStorage } from "matrix-third-party-invites/sqlite";

/** What this needs of the binding `D1Database`. */
export interface D1 {
  readonly prepare: (statement: string) => {
    readonly bind: (...params: string[]) => {
      readonly all: () => Promise<{ readonly results: readonly SqlRow[] }>;
    };
  };
}

const clientOf = (database: D1): SqliteClient => ({
  all: async (statement, params) => {
    const { results } = await database
      .prepare(statement)
      .bind(...params)
      .all();
    return results;
  },
});

/** Once for a deployment. */
export const migrateD1 = (database: D1) => migrate(clientOf(database));

/** For each request. */
export const storageOn = (database: D1) => sqliteStorage(clientOf(database));
