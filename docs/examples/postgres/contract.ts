import { describe, it } from "node:test";
import { PGlite } from "@electric-sql/pglite";
import { migrate, postgresStorage } from "matrix-third-party-invites/postgres";
import { storageContract } from "matrix-third-party-invites/testing";

const db = new PGlite();
let opened = 0;

/** Put your adapter in place of this one. */
const open = async () => {
  opened += 1;
  const schema = `storage_${opened}`;
  await db.query(`CREATE SCHEMA ${schema}`);
  await migrate(db, { schema });
  return postgresStorage(db, { schema });
};

storageContract({ describe, it }, { open });
