import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type SqlRow, type Storage, migrate, sqliteStorage } from "matrix-third-party-invites/sqlite";
import { postgresStorage } from "matrix-third-party-invites/postgres";
import { waitingLanes } from "matrix-third-party-invites/storage";
import { migratedSchema, postgresUrl, servers } from "../postgres/servers.js";
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
      postgresStorage({ query: async (text, params) => ({ rows: await run(text, params) }) }, { schema }),
    prefix: `"${schema.replaceAll('"', '""')}".`,
    close: () => host.stop(),
  };
};

const databases = [
  { name: "SQLite", isThere: true, explain: "EXPLAIN QUERY PLAN", open: openSqlite },
  ...servers.map((server) => ({
    name: server.name,
    // Both plan alike: one of them is enough.
    isThere: server.name === "PGlite" ? postgresUrl === undefined : server.isThere,
    explain: "EXPLAIN",
    open: () => openPostgres(server),
  })),
];

/**
 * The line of a plan that reads a table from its first row to its last, be it in an index. The buckets are too few here:
 * PostgreSQL reads so small a table as a whole.
 */
const readsAll = /Seq Scan on third_party_(?:invites|redemptions)|SCAN (?:third_party_\w+|line|same)/;

const rows = 100_000;
const perPut = 5_000;

describe.each(databases)("on $name, with 10^5 rows,", ({ isThere, explain, open }) => {
  describe.skipIf(!isThere)("", () => {
    let opened: Opened;
    beforeAll(async () => {
      opened = await open();
      const { redemptions, invites } = opened.storageOver(opened.run);
      for (let first = 0; first < rows; first += perPut)
        await redemptions.put(
          Array.from({ length: perPut }, (_, index) =>
            owed(`t${first + index}`, [bob, carol][index % 2], { isVouched: index % 3 === 0 }),
          ),
          {},
        );
      for (let index = 0; index < 2_000; index += 1)
        await invites.putIfAbsent(record(`${index}@x.example`), {});
      // PostgreSQL plans by what it knows of a table.
      if (explain === "EXPLAIN") await opened.run("ANALYZE", []);
    });
    afterAll(() => opened.close());

    it("no statement reads a whole table", async () => {
      const plans = new Map<string, string>();
      const watched = opened.storageOver(async (text, params) => {
        const plan = await opened.run(`${explain} ${text}`, params);
        plans.set(text, plan.map((row) => String(row["QUERY PLAN"] ?? row["detail"])).join("\n"));
        return opened.run(text, params);
      });
      const { invites, redemptions, limits } = watched;
      const lanes = waitingLanes.map((lane) => ({ lane, except: [] }));
      const claimed = await redemptions.claim({ lanes, due: { from: 0, to: 1e6 }, until: 2e6, limit: 8 }, {});
      const { value, mark } = present(claimed[0]);
      await redemptions.replace({ ...value, state: { _tag: "Done", endedAt: 5 } }, mark, {});
      await redemptions.line({ lane: "unvouched", mxid: bob }, {});
      await redemptions.known(value, {});
      await redemptions.list({ lane: "dead", limit: 10 }, {});
      await redemptions.remove({ lane: "redeemed", endedBefore: 1, limit: 10 }, {});
      await redemptions.nextDueAt({});
      const invite = record("1@x.example");
      await invites.find(keyFor("1@x.example"), {});
      await invites.findByToken(room1, storedInvite("t1").token, {});
      await invites.list({ by: { sender: invite.sender }, limit: 10 }, {});
      await invites.list({ by: { addressHash: invite.addressHash }, limit: 10 }, {});
      await limits.take({ key: "k", cost: 1, now: 0, intervalMs: 1, burst: 1 }, {});
      await limits.forget({ fullBefore: 1, limit: 10 }, {});
      expect(plans.size).toBe(13);
      expect([...plans].filter(([, plan]) => readsAll.test(plan))).toEqual([]);
    });
  });
});
