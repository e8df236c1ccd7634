import type { SqlClient, SqlHost } from "matrix-third-party-invites/postgres";

export interface PGlite extends SqlClient, SqlHost {
  readonly close: () => Promise<void>;
}

export const PGlite: {
  /** In memory, unless given a folder. */
  readonly create: (folder?: string) => Promise<PGlite>;
};
