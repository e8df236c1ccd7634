import { afterAll, beforeAll, describe, it } from "vitest";
import { migrate, sqliteStorage } from "matrix-third-party-invites/sqlite";
import { migratedSchema, servers, storageIn } from "../postgres/servers.js";
import { openWasm } from "../sqlite/drivers.js";
import { likeMemory } from "./model.js";

describe.each(servers)("storage on $name", ({ isThere, start }) => {
  describe.skipIf(!isThere)("", () => {
    let host: Awaited<ReturnType<typeof start>>;
    beforeAll(async () => {
      host = await start();
    });
    afterAll(() => host.stop());

    it("answers as the one in memory does, whatever the calls", () =>
      likeMemory(async () => storageIn(host, await migratedSchema(host)), 40));
  });
});

describe("storage on SQLite in WebAssembly", () => {
  it("answers as the one in memory does, whatever the calls", async () => {
    const { client, close } = openWasm();
    await migrate(client);
    try {
      await likeMemory(async () => {
        for (const table of ["invites", "redemptions", "limits"])
          await client.all(`DELETE FROM third_party_${table} RETURNING 1`, []);
        return sqliteStorage(client);
      }, 60);
    } finally {
      close();
    }
  });
});
