import { PGlite } from "@electric-sql/pglite";
import { migrate, postgresStorage } from "matrix-third-party-invites/postgres";

export const db = new PGlite(process.env["DATA_FOLDER"]); // without a folder, in memory

await migrate(db);
export const storage = postgresStorage(db); // invites, redemptions and limits
