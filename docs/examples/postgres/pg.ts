import { type SqlHost, migrate, postgresStorage } from "matrix-third-party-invites/postgres";
import pg from "pg";

export const pool = new pg.Pool({ connectionString: process.env["DATABASE_URL"] });
// Without a listener, an idle connection that breaks ends the process. The pool makes a new one by itself.
pool.on("error", (error) => {
  console.error("an idle database connection broke", error);
});

const transaction: SqlHost["transaction"] = async (work) => {
  const client = await pool.connect();
  try {
    await client.query("BEGIN");
    const result = await work(client);
    await client.query("COMMIT");
    client.release();
    return result;
  } catch (error) {
    client.release(true); // closes the connection, and so rolls back
    throw error;
  }
};

await migrate({ transaction });
export const storage = postgresStorage(pool); // invites, redemptions and limits
