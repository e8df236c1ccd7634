import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { migrate, sqliteStorage } from "matrix-third-party-invites/sqlite";
import { storageContract } from "matrix-third-party-invites/testing";
import { openWasm } from "./drivers.js";
import { nodeWithSqlite, openNodeSqlite } from "./node-driver.js";

describe("storage on SQLite in WebAssembly keeps the contract", () => {
  storageContract(
    { describe, it },
    {
      open: async () => {
        const { client, close } = openWasm();
        await migrate(client);
        return {
          ...sqliteStorage(client),
          close: () => {
            close();
            return Promise.resolve();
          },
        };
      },
    },
  );
});

describe.skipIf(nodeWithSqlite === undefined)("storage on node:sqlite keeps the contract", () => {
  let folder: string;
  let files = 0;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "node-sqlite-"));
  });
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  /** A connection in a process of its own. */
  const connection = (file: string) => {
    const client = openNodeSqlite(file);
    return { ...sqliteStorage(client), client, file, close: client.close };
  };

  storageContract(
    { describe, it },
    {
      open: async () => {
        files += 1;
        const opened = connection(join(folder, `${files}.db`));
        await migrate(opened.client);
        return opened;
      },
      connect: ({ file }) => Promise.resolve(connection(file)),
      reopen: ({ file, client }) => {
        client.kill();
        return Promise.resolve(connection(file));
      },
    },
  );
});

describe("migrate on SQLite", () => {
  it("makes the tables, and changes nothing when it is called again", async () => {
    const { client, close } = openWasm();
    expect(await migrate(client)).toEqual([1]);
    expect(await migrate(client)).toEqual([]);
    close();
  });

  it("goes on where a migration has stopped in its middle", async () => {
    const { client, close } = openWasm();
    let statements = 0;
    const dying = {
      all: (statement: string, params: string[]) => {
        statements += 1;
        if (statements > 5) throw new Error("killed");
        return client.all(statement, params);
      },
    };
    await expect(migrate(dying)).rejects.toThrow("killed");
    expect(await migrate(client)).toEqual([1]);
    close();
  });

  it("rejects where a later release has been", async () => {
    const { client, close } = openWasm();
    await migrate(client);
    await client.all("INSERT INTO third_party_migrations VALUES (99) RETURNING version", []);
    await expect(migrate(client)).rejects.toThrow(/have version 99; this release knows version 1/);
    close();
  });
});
