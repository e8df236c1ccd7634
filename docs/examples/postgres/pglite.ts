import { PGlite } from "@electric-sql/pglite";
import { migrate, postgresInvites, postgresRedemptions } from "matrix-third-party-invites/postgres";

export const db = new PGlite(process.env["DATA_FOLDER"]); // without a folder, in memory

await migrate(db);
export const invites = postgresInvites(db);
export const redemptions = postgresRedemptions(db);
