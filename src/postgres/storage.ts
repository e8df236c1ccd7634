import type { Invites, Limits, Redemptions } from "../ports.js";
import { askOf } from "./ask.js";
import { type PostgresOptions, type SqlClient, tablesOf } from "./client.js";
import { postgresInvites } from "./invites.js";
import { postgresLimits } from "./limits.js";
import { postgresRedemptions } from "./redemptions.js";

/** The ports of a storage. */
export interface Storage {
  readonly invites: Invites;
  readonly redemptions: Redemptions;
  readonly limits: Limits;
}

/**
 * The storage ports on PostgreSQL, over one statement for each call. `migrate` makes their tables.
 *
 * @example
 * const { invites, redemptions, limits } = postgresStorage(new Pool({ connectionString }));
 */
export const postgresStorage = (client: SqlClient, options: PostgresOptions = {}): Storage => {
  const ask = askOf(client);
  const tables = tablesOf(options);
  return {
    invites: postgresInvites(ask, tables.invites),
    redemptions: postgresRedemptions(ask, tables.redemptions),
    limits: postgresLimits(ask, tables.limits),
  };
};
