import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, it } from "vitest";
import { storageContract } from "matrix-third-party-invites/testing";
import { PGlite } from "./pglite.js";
import { migratedSchema, storageIn } from "./servers.js";

describe("storage on PGlite keeps the contract", () => {
  const folder = mkdtempSync(join(tmpdir(), "pglite-"));
  let db: PGlite;

  beforeAll(async () => {
    db = await PGlite.create(folder);
  });
  afterAll(async () => {
    await db.close();
    rmSync(folder, { recursive: true, force: true });
  });

  storageContract(
    { describe, it },
    {
      open: async () => storageIn(db, await migratedSchema(db)),
      reopen: async ({ schema }) => {
        await db.close();
        db = await PGlite.create(folder);
        return storageIn(db, schema);
      },
    },
  );
});
