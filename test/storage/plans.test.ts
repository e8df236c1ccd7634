import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type SqlRow, type Storage, migrate, sqliteStorage } from "matrix-third-party-invites/sqlite";
import { postgresStorage } from "matrix-third-party-invites/postgres";
import { waitingLanes } from "matrix-third-party-invites/storage";
import { migratedSchema, servers } from "../postgres/servers.js";
import { openWasm } from "../sqlite/drivers.js";
import { aExample, bob, idServer, keyFor, owed, record, room1 } from "../testing/memory/samples.js";

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
    close: () => {
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
      postgresStorage({ query: async (text, params) => ({ rows: await run(text, params) }) }, { schema }),
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

/** In a plan: a table, or the whole of an index, is read from its beginning to its end. */
const readsAll = /Seq Scan on third_party\w*|SCAN (?:third_party_\w+|bucket|line|same)\b.*/;

const count = 100_000;
const lanes = [...waitingLanes, "dead", "done", "redeemed", "announced"] as const;
const due = { from: 0, to: count };

/** One call for each statement, and for each form that it has. */
const calls: Readonly<Record<string, (storage: Storage) => Promise<unknown>>> = {
  "invites.putIfAbsent": ({ invites }) => invites.putIfAbsent(record("a@x.example"), {}),
  "invites.replace": ({ invites }) => invites.replace(record("a@x.example"), "1", {}),
  "invites.find": ({ invites }) => invites.find(keyFor("a@x.example"), {}),
  "invites.findByToken": ({ invites }) => invites.findByToken(room1, "t7", {}),
  "invites.list of a room": ({ invites }) => invites.list({ by: { roomId: room1 }, limit: 10 }, {}),
  "invites.list of a sender": ({ invites }) => invites.list({ by: { sender: bob }, limit: 10 }, {}),
  "invites.list of a server": ({ invites }) => invites.list({ by: { idServer }, limit: 10 }, {}),
  "invites.list of an address": ({ invites }) =>
    invites.list({ by: { addressHash: record("a@x.example").addressHash }, limit: 10 }, {}),
  "invites.list after one": ({ invites }) =>
    invites.list({ by: { roomId: room1 }, after: record("a@x.example"), limit: 10 }, {}),
  "redemptions.put": ({ redemptions }) => redemptions.put([owed("a"), owed("b")], {}),
  "redemptions.line": ({ redemptions }) => redemptions.line({ lane: "unvouched", mxid: bob }, {}),
  "redemptions.sizes": ({ redemptions }) =>
    redemptions.sizes({ lanes: ["unvouched", "unvouched-again"], leaving: 3 }, {}),
  "redemptions.sizes of a user": ({ redemptions }) =>
    redemptions.sizes({ lanes: ["unvouched"], mxid: bob, leaving: 3 }, {}),
  "redemptions.claim": ({ redemptions }) =>
    redemptions.claim(
      { lanes: waitingLanes.map((lane) => ({ lane, except: [aExample] })), due, until: 1, limit: 8 },
      {},
    ),
  "redemptions.replace": ({ redemptions }) => redemptions.replace(owed("a"), "1", {}),
  "redemptions.known": ({ redemptions }) => redemptions.known({ roomId: room1, token: "t7", mxid: bob }, {}),
  "redemptions.list": ({ redemptions }) => redemptions.list({ lane: "dead", limit: 10 }, {}),
  "redemptions.remove of what ended": ({ redemptions }) =>
    redemptions.remove({ lane: "done", endedBefore: 10, limit: 10 }, {}),
  "redemptions.remove of what is too much": ({ redemptions }) =>
    redemptions.remove({ lanes: ["unvouched"], keep: { rows: 10, bytes: 10_000 } }, {}),
  "redemptions.remove of what is too much of a user": ({ redemptions }) =>
    redemptions.remove({ lanes: ["unvouched"], mxid: bob, keep: { rows: 10, bytes: 10_000 } }, {}),
  "redemptions.nextDueAt": ({ redemptions }) => redemptions.nextDueAt({}),
  "limits.take": ({ limits }) => limits.take({ key: "a", cost: 1, now: 0, intervalMs: 1, burst: 1 }, {}),
  "limits.forget": ({ limits }) => limits.forget({ fullBefore: 10, limit: 10 }, {}),
};

const fill = async ({ run, prefix }: Opened): Promise<void> => {
  const numbers = `WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ${count})`;
  const laneOf = `CASE n % 8 ${lanes.map((lane, index) => `WHEN ${index} THEN '${lane}'`).join(" ")} END`;
  await run(
    `${numbers} INSERT INTO ${prefix}third_party_redemptions
      (id, mark, token, mxid, destination, lane, place, leaving, at, bytes, record)
    SELECT 'id' || n, 'mark', 'token' || n % 10000, '@u' || n % 1000 || ':x', 's' || n % 100, ${laneOf},
      n, n % 5000, n, 1000, '{}' FROM numbers`,
    [],
  );
  await run(
    `${numbers} INSERT INTO ${prefix}third_party_invites
      (key, mark, is_new, room_id, sender, id_server, address_hash, created_at, token, tokens, record)
    SELECT 'key' || n, 'mark', 0, '!' || n % 1000, '@u' || n % 1000, 'id' || n % 10, 'h' || n % 10000, n,
      CASE WHEN n % 100 > 0 THEN 't' || n END, CASE WHEN n % 100 = 0 THEN '["t1","t2"]' END, '{}' FROM numbers`,
    [],
  );
  await run(
    `${numbers} INSERT INTO ${prefix}third_party_limits (key, full_at, is_taken) SELECT 'k' || n, n, 1 FROM numbers`,
    [],
  );
};

describe.each(databases)("statements on $name, in tables of 100,000 rows", ({ isThere, explain, open }) => {
  describe.skipIf(!isThere)("", () => {
    let database: Opened;
    beforeAll(async () => {
      database = await open();
      await fill(database);
      // PostgreSQL does so by itself in time; SQLite never does.
      if (explain === "EXPLAIN")
        for (const name of ["redemptions", "invites", "limits"])
          await database.run(`VACUUM ANALYZE ${database.prefix}third_party_${name}`, []);
    });
    afterAll(() => database.close());

    it.each(Object.entries(calls))("%s reads no table as a whole", async (_, call) => {
      const lines: string[] = [];
      let asked = 0;
      const explaining = database.storageOver(async (text, params) => {
        asked += 1;
        const plan = await database.run(`${explain} ${text}`, params);
        lines.push(...plan.map((row) => String(row["detail"] ?? row["QUERY PLAN"])));
        return [];
      });
      // There is no answer beside the plan, which some do not put up with.
      await call(explaining).catch(() => undefined);
      expect(asked).toBe(1);
      expect(lines.filter((line) => readsAll.test(line))).toEqual([]);
    });
  });
});
