import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type SqlRow, type Storage, migrate, sqliteStorage } from "matrix-third-party-invites/sqlite";
import { postgresStorage } from "matrix-third-party-invites/postgres";
import { waitingLanes } from "matrix-third-party-invites/storage";
import { migratedSchema, servers } from "../postgres/servers.js";
import { openWasm } from "../sqlite/drivers.js";
import { bob, carol, keyFor, owed, present, record, room1, storedInvite } from "../testing/memory/samples.js";

type Run = (text: string, params: string[]) => Promise<readonly SqlRow[]>;

interface Opened {
  readonly run: Run;
  /** The ports, over a client that asks this instead of the database. */
  readonly storageOver: (run: Run) => Storage;
  readonly prefix: string;
  readonly close: () => Promise<void>;
}

const openSqlite = async (): Promise<Opened> => {
  const { client, close } = openWasm();
  await migrate(client);
  return {
    run: async (text, params) => client.all(text, params),
    storageOver: (run) => sqliteStorage({ all: run }),
    prefix: "",
    close: async () => {
      close();
      return Promise.resolve();
    },
  };
};

const openPostgres = async (server: (typeof servers)[number]): Promise<Opened> => {
  const host = await server.start();
  const schema = await migratedSchema(host);
  return {
    run: async (text, params) => (await host.query(text, params)).rows,
    storageOver: (run) =>
      postgresStorage({ query: async (text, params) => ({ rows: await run(text, params as string[]) }) }, { schema }),
    prefix: `"${schema.replaceAll('"', '""')}".`,
    close: () => host.stop(),
  };
};

const databases = [
  { name: "SQLite", isThere: true, explain: "EXPLAIN QUERY PLAN", open: openSqlite },
  ...servers.map((server) => ({
    name: server.name,
    isThere: server.isThere,
    explain: "EXPLAIN",
    open: () => openPostgres(server),
  })),
];

/** The line of a plan that reads a table from its first row to its last. */
const readsAll = /Seq Scan on third_party|SCAN (?:third_party_\w+|bucket|line|same)(?! USING (?:COVERING )?INDEX)/;
/** In an index the whole of it may be read as well: SQLite calls a part of it SEARCH, PostgreSQL has an Index Cond. */
const readsWholeIndex = /SCAN (?:third_party_\w+|line|same) USING/;

const rows = 100_000;
