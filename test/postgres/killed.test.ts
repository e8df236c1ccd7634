import type pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Redemptions } from "matrix-third-party-invites/ports";
import { waitingLanes } from "matrix-third-party-invites/storage";
import { owed } from "../testing/memory/samples.js";
import { connectPool, hostOf, migratedSchema, postgresUrl, storageIn } from "./servers.js";

const waiting = async (redemptions: Redemptions): Promise<number> =>
  (await redemptions.sizes({ lanes: waitingLanes }, {})).reduce((sum, { rows }) => sum + rows, 0);

describe.skipIf(postgresUrl === undefined)("a connection that is killed in the middle of put", () => {
  let pool: pg.Pool;
  beforeAll(() => {
    pool = connectPool();
  });
  afterAll(() => pool.end());

  it("leaves none of its rows, and stops nobody", async () => {
    const schema = await migratedSchema(hostOf(pool));
    const { redemptions } = storageIn(pool, schema);
    const rows = Array.from({ length: 100 }, (_, index) => owed(`t${String(index).padStart(3, "0")}`));

    // Somebody has stored the last row and not said so yet: whoever puts them all waits there, with 99 stored.
    const holder = await pool.connect();
    await holder.query("BEGIN");
    await storageIn(holder, schema).redemptions.put(rows.slice(-1), {});

    const victim = await pool.connect();
    victim.on("error", () => undefined);
    const { rows: victims } = await victim.query<{ pid: number }>("SELECT pg_backend_pid() AS pid");
    const adding = storageIn(victim, schema).redemptions.put(rows, {});
    const ended = expect(adding).rejects.toThrow();
    const isWaiting = async (): Promise<boolean> =>
      (
        await pool.query("SELECT 1 FROM pg_stat_activity WHERE pid = $1 AND wait_event_type = 'Lock'", [
          victims[0]?.pid,
        ])
      ).rowCount === 1;
    while (!(await isWaiting())) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(await waiting(redemptions)).toBe(0);

    await pool.query("SELECT pg_terminate_backend($1)", [victims[0]?.pid]);
    await ended;
    victim.release(true);
    await holder.query("COMMIT");
    holder.release();
    expect(await waiting(redemptions)).toBe(1);
    await redemptions.put(rows, {});
    expect(await waiting(redemptions)).toBe(100);
  });
});
