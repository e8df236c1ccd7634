import { numberOf, onlyRow } from "../storage/sql-row.js";
import { type SqliteClient, tables } from "./client.js";

/**
 * The statements of each version, the first first. A version reads what the one before has written; a version that was
 * released is never changed, and none is taken back. Each statement may be run twice: no driver's transactions are needed.
 */
const migrations: readonly (readonly string[])[] = [
  [
    `CREATE TABLE IF NOT EXISTS ${tables.invites} (
      key TEXT PRIMARY KEY, mark TEXT NOT NULL, room_id TEXT NOT NULL, sender TEXT NOT NULL,
      id_server TEXT NOT NULL, address_hash TEXT NOT NULL, created_at REAL NOT NULL,
      tokens TEXT NOT NULL, record TEXT NOT NULL
    ) STRICT, WITHOUT ROWID`,
    ...["room_id", "sender", "id_server", "address_hash"].map(
      (column) => `CREATE INDEX IF NOT EXISTS ${tables.invites}_by_${column}
        ON ${tables.invites} (${column}, created_at DESC, key)`,
    ),
    `CREATE TABLE IF NOT EXISTS ${tables.redemptions} (
      id TEXT PRIMARY KEY, mark TEXT NOT NULL, token TEXT NOT NULL, mxid TEXT NOT NULL,
      destination TEXT NOT NULL, lane TEXT NOT NULL, place REAL NOT NULL, leaving REAL NOT NULL,
      at REAL NOT NULL, bytes INTEGER NOT NULL, record TEXT NOT NULL
    ) STRICT, WITHOUT ROWID`,
    `CREATE INDEX IF NOT EXISTS ${tables.redemptions}_by_place ON ${tables.redemptions} (lane, place, id)`,
    `CREATE INDEX IF NOT EXISTS ${tables.redemptions}_by_time ON ${tables.redemptions} (lane, at)`,
    `CREATE INDEX IF NOT EXISTS ${tables.redemptions}_by_leaving
      ON ${tables.redemptions} (lane, leaving, id, bytes)`,
    `CREATE INDEX IF NOT EXISTS ${tables.redemptions}_by_user
      ON ${tables.redemptions} (lane, mxid, destination)`,
    `CREATE INDEX IF NOT EXISTS ${tables.redemptions}_by_token ON ${tables.redemptions} (token, lane)`,
    `CREATE TABLE IF NOT EXISTS ${tables.limits} (
      key TEXT PRIMARY KEY, full_at REAL NOT NULL, is_taken INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID`,
    `CREATE INDEX IF NOT EXISTS ${tables.limits}_by_time ON ${tables.limits} (full_at)`,
  ],
];

/**
 * Brings the tables to the version that this release knows: makes them where there are none, changes nothing where they
 * have it. Call it when the server starts, before the ports are used. Answers with the versions that it has applied.
 * Rejects if a later release was here already. SQLite 3.38 or later.
 *
 * @example
 * await migrate(client); // [1]
 */
export const migrate = async (client: SqliteClient): Promise<readonly number[]> => {
  await client.all(
    "CREATE TABLE IF NOT EXISTS third_party_migrations (version INTEGER PRIMARY KEY) STRICT",
    [],
  );
  const rows = await client.all(
    "SELECT coalesce(max(version), 0) AS version FROM third_party_migrations",
    [],
  );
  const version = numberOf(onlyRow(rows), "version");
  if (version > migrations.length)
    throw new Error(
      `The tables have version ${version}; this release knows version ${migrations.length} and none after it.`,
    );
  const applied: number[] = [];
  for (const [index, statements] of migrations.entries()) {
    if (index < version) continue;
    for (const statement of statements) await client.all(statement, []);
    await client.all(
      "INSERT INTO third_party_migrations (version) VALUES (?1) ON CONFLICT DO NOTHING RETURNING version",
      [index + 1],
    );
    applied.push(index + 1);
  }
  return applied;
};
