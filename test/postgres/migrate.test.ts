import { migrate, postgresStorage } from "matrix-third-party-invites/postgres";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { owed } from "../testing/memory/samples.js";
import { newSchema, servers } from "./servers.js";

describe.each(servers)("migrate on $name", ({ isThere, start }) => {
  describe.skipIf(!isThere)("", () => {
    let host: Awaited<ReturnType<typeof start>>;
    beforeAll(async () => {
      host = await start();
    });
    afterAll(() => host.stop());

    it("makes the tables, and changes nothing when it is called again", async () => {
      const schema = await newSchema(host);
      expect(await migrate(host, { schema })).toEqual([1]);
      const { redemptions } = postgresStorage(host, { schema });
      await redemptions.put([owed("t")], {});
      expect(await migrate(host, { schema })).toEqual([]);
      expect(await redemptions.nextDueAt({})).toBe(100);
    });

    it("is done by one of many that start at once", async () => {
      const schema = await newSchema(host);
      const applied = await Promise.all(Array.from({ length: 6 }, () => migrate(host, { schema })));
      expect(applied.flat()).toEqual([1]);
    });

    it("leaves nothing of a migration that fails in its middle", async () => {
      const schema = await newSchema(host);
      const inTheWay = `"${schema.replaceAll('"', '""')}".third_party_redemptions`;
      await host.query(`CREATE TABLE ${inTheWay} (other text)`, []);
      await expect(migrate(host, { schema })).rejects.toThrow(/does not exist/);
      await host.query(`DROP TABLE ${inTheWay}`, []);
      expect(await migrate(host, { schema })).toEqual([1]);
    });

    it("rejects where a later release has been, and changes nothing", async () => {
      const schema = await newSchema(host);
      await migrate(host, { schema });
      const versions = `"${schema.replaceAll('"', '""')}".third_party_migrations`;
      await host.query(`INSERT INTO ${versions} (version) VALUES (99)`, []);
      await expect(migrate(host, { schema })).rejects.toThrow(
        /have version 99; this release knows version 1/,
      );
    });

    it("sees what another did before it, at any isolation", async () => {
      const schema = await newSchema(host);
      const strict = {
        transaction: <T>(work: (client: typeof host) => Promise<T>): Promise<T> =>
          host.transaction(async (client) => {
            await client.query("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE", []);
            return work({ ...host, query: (text, params) => client.query(text, params) });
          }),
      };
      const applied = await Promise.all([1, 2, 3].map(() => migrate(strict, { schema })));
      expect(applied.flat()).toEqual([1]);
    });
  });
});

it("refuses what is no name of a schema", () => {
  const host = { transaction: () => Promise.reject(new Error("not reached")) };
  for (const schema of ["", "a\0b"]) expect(() => migrate(host, { schema })).toThrow(/no name of a schema/);
});
