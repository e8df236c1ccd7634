import type pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bob, owed, present, room1 } from "../testing/memory/samples.js";
import { connectPool, hostOf, migratedSchema, postgresUrl, storageIn } from "./servers.js";

describe.skipIf(postgresUrl === undefined)("a row that is redeemed while a remove has chosen it", () => {
  let pool: pg.Pool;
  beforeAll(() => {
    pool = connectPool();
  });
  afterAll(() => pool.end());

  /** Redeems the one row after a remove has seen it waiting; answers how many the remove has removed. */
  const redeemBeside = async (change: (text: string) => string) => {
    const schema = await migratedSchema(hostOf(pool));
    const { redemptions } = storageIn(pool, schema);
    const row = owed("t", bob, { depth: 100 });
    await redemptions.put([row], {});
    const holder = await pool.connect();
    await holder.query("SELECT pg_advisory_lock(1)");
    const waits = "WHERE (SELECT pg_advisory_xact_lock_shared(1) IS NOT NULL) AND leaving > 0";
    const slow = {
      query: (text: string, params: string[]) =>
        pool.query(change(text.replace("WHERE leaving > 0", waits)), params),
    };
    const removing = storageIn(slow, schema).redemptions.remove(
      { lanes: ["unvouched"], keep: { rows: 0, bytes: 0 } },
      {},
    );
    const isWaiting = async (): Promise<boolean> =>
      (await pool.query("SELECT 1 FROM pg_stat_activity WHERE wait_event = 'advisory'")).rowCount === 1;
    while (!(await isWaiting()))
      await Promise.race([removing, new Promise((resolve) => setTimeout(resolve, 5))]);
    const [held] = await redemptions.list({ lane: "unvouched", limit: 1 }, {});
    await redemptions.replace({ ...row, state: { _tag: "Redeemed", endedAt: 5 } }, present(held).mark, {});
    await holder.query("SELECT pg_advisory_unlock(1)");
    holder.release();
    const removed = await removing;
    return { removed, known: await redemptions.known({ roomId: room1, token: "t", mxid: bob }, {}) };
  };

  it("stays, and is remembered", async () => {
    expect(await redeemBeside((text) => text)).toMatchObject({ removed: 0, known: [{ token: "t" }] });
  });

  it("would go where its lane is not looked at again", async () => {
    const again = /AND lane IN \((CAST\(\$\d+ AS text\))\) FOR UPDATE/;
    const without = (text: string): string => text.replace(again, "AND $1 IS NOT NULL FOR UPDATE");
    expect(await redeemBeside(without)).toEqual({ removed: 1, known: [] });
  });
});
