import type { Invites, Limits, Redemptions } from "../../ports.js";
import { sqlInvites } from "./invites.js";
import { sqlLimits } from "./limits.js";
import { sqlRedemptions } from "./redemptions.js";
import type { Database } from "./statement.js";

/** The storage ports of one database. */
export interface Storage {
  readonly invites: Invites;
  readonly redemptions: Redemptions;
  readonly limits: Limits;
}

export const sqlStorage = (database: Database): Storage => ({
  invites: sqlInvites(database),
  redemptions: sqlRedemptions(database),
  limits: sqlLimits(database),
});
