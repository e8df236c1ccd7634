import { createRequire } from "node:module";
import type { SqlClient, SqlHost } from "matrix-third-party-invites/postgres";

interface Database extends SqlClient, SqlHost {
  readonly close: () => Promise<void>;
}

/** A database in memory. Its own declarations need those of browsers, so it is required, and not imported. */
export const newDatabase = (): Promise<Database> => {
  const { PGlite } = createRequire(import.meta.url)("@electric-sql/pglite") as {
    readonly PGlite: { readonly create: () => Promise<Database> };
  };
  return PGlite.create();
};
