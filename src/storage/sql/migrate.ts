import { migrations } from "./migrations.js";
import { number, only } from "./row.js";
import { type Database, sql, written } from "./statement.js";

/** Brings the tables to the version that this release knows, and answers with the versions that it has applied. */
export const applyMigrations = async (database: Database): Promise<readonly number[]> => {
  const { ask, prefix } = database;
  const table = written(`${prefix}third_party_migrations`);
  await ask(sql`CREATE TABLE IF NOT EXISTS ${table} (version integer PRIMARY KEY)`, {});
  const version = number(
    only(await ask(sql`SELECT coalesce(max(version), 0) AS version FROM ${table}`, {})),
    "version",
  );
  if (version > migrations.length)
    throw new Error(
      `The tables have version ${version}; this release knows version ${migrations.length} and none after it.`,
    );
  const applied: number[] = [];
  for (const [index, statements] of migrations.entries()) {
    if (index < version) continue;
    for (const statement of statements(database)) await ask(written(statement), {});
    // Of two without a transaction that have done the same, one has done it.
    const added = await ask(
      sql`INSERT INTO ${table} (version) VALUES (${written(String(index + 1))}) ON CONFLICT DO NOTHING RETURNING version`,
      {},
    );
    if (added.length > 0) applied.push(index + 1);
  }
  return applied;
};
