/** What the processes of the homeserver keep their invites and redemptions in, as the parent makes it and looks into it. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { migrate } from "matrix-third-party-invites/sqlite";
import { connectPool, hostOf, migratedSchema, postgresUrl } from "../postgres/servers.js";
import type { StoragePlace } from "./messages.js";
import { openSqlite } from "./sqlite-client.js";

/** Counts of rows by what a statement calls them. */
export type Counts = Readonly<Record<string, number>>;

export interface SoakStorage {
  readonly processes: number;
  readonly place: StoragePlace;
  /** By lane, those that are dead with their reason. */
  readonly proofs: () => Promise<Counts>;
  /** By the state of their life. */
  readonly invites: () => Promise<Counts>;
  readonly close: () => Promise<void>;
}

interface Counted {
  readonly name?: unknown;
  readonly n?: unknown;
}

const countsOf = (rows: readonly Counted[]): Counts =>
  Object.fromEntries(rows.map(({ name, n }) => [String(name), Number(n)]));

const onPostgres = async (url: string): Promise<SoakStorage> => {
  const pool = connectPool(2);
  const schema = await migratedSchema(hostOf(pool));
  const quoted = `"${schema.replaceAll('"', '""')}"`;
  const counted = async (text: string): Promise<Counts> => countsOf((await pool.query<Counted>(text)).rows);
  return {
    processes: 4,
    place: { _tag: "PostgreSQL", url, schema },
    proofs: () =>
      counted(
        `SELECT concat_ws(': ', lane, CASE WHEN lane = 'dead' THEN record::json -> 'state' ->> 'reason' END) AS name,
          count(*)::int AS n
        FROM ${quoted}.third_party_redemptions GROUP BY 1 ORDER BY 1`,
      ),
    invites: () =>
      counted(
        `SELECT record::json -> 'life' ->> '_tag' AS name, count(*)::int AS n
        FROM ${quoted}.third_party_invites GROUP BY 1 ORDER BY 1`,
      ),
    close: async () => {
      await pool.query(`DROP SCHEMA ${quoted} CASCADE`);
      await pool.end();
    },
  };
};

const onSqlite = async (): Promise<SoakStorage> => {
  const folder = mkdtempSync(join(tmpdir(), "soak-"));
  const file = join(folder, "invites.db");
  // Longer than the processes wait: nobody repeats what the parent asks.
  const { client, close } = await openSqlite(file, 5_000);
  await migrate(client);
  const counted = async (text: string): Promise<Counts> => countsOf(await client.all(text, []));
  return {
    processes: 2,
    place: { _tag: "SQLite", file },
    proofs: () =>
      counted(
        `SELECT lane || CASE WHEN lane = 'dead' THEN ': ' || (record ->> '$.state.reason') ELSE '' END AS name,
          count(*) AS n
        FROM third_party_redemptions GROUP BY 1 ORDER BY 1`,
      ),
    invites: () =>
      counted(
        `SELECT record ->> '$.life._tag' AS name, count(*) AS n
        FROM third_party_invites GROUP BY 1 ORDER BY 1`,
      ),
    close: () => {
      close();
      rmSync(folder, { recursive: true, force: true });
      return Promise.resolve();
    },
  };
};

/** `undefined` where there is no such database here. */
export const openStorage = async (isSqlite: boolean): Promise<SoakStorage | undefined> => {
  if (isSqlite) return Number(process.versions.node.split(".")[0]) >= 22 ? onSqlite() : undefined;
  return postgresUrl === undefined ? undefined : onPostgres(postgresUrl);
};
