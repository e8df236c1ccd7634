import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sqlite from "node-sqlite3-wasm";
import type { SqliteClient } from "matrix-third-party-invites/sqlite";

/** A SQLite in WebAssembly, in a file of its own. */
export const openWasm = (): { readonly client: SqliteClient; readonly close: () => void } => {
  const folder = mkdtempSync(join(tmpdir(), "sqlite-"));
  const database = new sqlite.Database(join(folder, "invites.db"));
  return {
    client: database,
    close: () => {
      database.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
};
