import { isLeft } from "fp-ts/lib/Either.js";
import { parseStrict } from "matrix-third-party-invites/judge";
import { isJsonObject } from "matrix-third-party-invites/matrix";
import type { Settlement } from "matrix-third-party-invites/ports";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  bob,
  cExample,
  carol,
  keyFor,
  storedInvite,
  owed,
  present,
  record,
  room1,
} from "../testing/memory/samples.js";
import { migratedSchema, servers, storageIn } from "./servers.js";

const trouble = { reason: "AppendRefused", status: 403, errcode: "M_FORBIDDEN\u0000" };

describe.each(servers)("storage on $name", ({ isThere, start }) => {
  describe.skipIf(!isThere)("", () => {
    let host: Awaited<ReturnType<typeof start>>;
    beforeAll(async () => {
      host = await start();
    });
    afterAll(() => host.stop());

    const open = async () => {
      const schema = await migratedSchema(host);
      const table = `"${schema.replaceAll('"', '""')}".third_party_`;
      const select = async (what: string) =>
        (await host.query(`SELECT ${what.replace("FROM ", `FROM ${table}`)}`, [])).rows;
      return { ...storageIn(host, schema), table, select };
    };

    it("keeps in columns what stood in the way of a row that waits or is dead, and forgets it with its end", async () => {
      const { redemptions, select } = await open();
      await redemptions.owe(
        ["t", "u", "v", "w"].map((token) => owed(token)).concat(owed("w", bob, { proof: "beside" })),
        {},
      );
      const held = await redemptions.lease({ now: 100, until: 200, limit: 9 }, {});
      const again = { _tag: "Again", dueAt: 300, ...trouble } as const;
      const ends: Readonly<Record<string, Settlement>> = { v: { _tag: "Done" }, w: { _tag: "Redeemed" } };
      for (const { redemption, lease } of held)
        await redemptions.settle(
          redemption,
          lease,
          redemption.token === "u" ? { _tag: "Dead", ...trouble } : again,
          {},
        );
      for (const { redemption, lease } of await redemptions.lease({ now: 300, until: 400, limit: 9 }, {}))
        await redemptions.settle(redemption, lease, ends[redemption.token] ?? again, {});
      const nothing = { reason: null, status: null, errcode: null, lease: null };
      const kept = { reason: "AppendRefused", status: 403, errcode: "M_FORBIDDEN\\u0000", lease: null };
      expect(
        await select("token, state, reason, status, errcode, lease FROM redemptions ORDER BY token"),
      ).toEqual([
        { token: "t", state: "waiting", ...kept },
        { token: "u", state: "dead", ...kept },
        { token: "v", state: "done", ...nothing },
        { token: "w", state: "redeemed", ...nothing },
        { token: "w", state: "redeemed", ...nothing },
      ]);
    });

    it("keeps numbers that JavaScript does not, as they were signed", async () => {
      const { redemptions } = await open();
      const text = '{"n":[1.0,1e10,9007199254740993,0.10,-0.0,1.5,2e400]}';
      const signed = parseStrict(text, "any");
      if (isLeft(signed) || !isJsonObject(signed.right)) throw new Error("The sample is wrong.");
      await redemptions.owe([owed("t", bob, { signed: signed.right })], {});
      const [held] = await redemptions.lease({ now: 100, until: 200, limit: 1 }, {});
      expect(String(present(held).redemption.signed["n"])).toBe(String(signed.right["n"]));
      expect(present(held).redemption.signed).toEqual(signed.right);
    });

    it("keeps times that are no whole milliseconds, and those of any age", async () => {
      const { redemptions, invites } = await open();
      await redemptions.owe([owed("t", bob, { dueAt: 1767225600000.125, owedAt: -1 })], {});
      expect(await redemptions.nextDueAt({})).toBe(1767225600000.125);
      const old = record("a@x.example", { createdAt: -8.64e15 });
      expect((await invites.putIfAbsent(old, {})).value).toEqual(old);
    });

    it("rejects before it asks where the signal was aborted, and asks with any other", async () => {
      const { invites, redemptions, select } = await open();
      const signal = AbortSignal.abort();
      const row = owed("t");
      const calls = [
        () => invites.putIfAbsent(record("a@x.example"), { signal }),
        () => invites.replace(record("a@x.example"), "1", { signal }),
        () => invites.find(keyFor("a@x.example"), { signal }),
        () => invites.findByToken(room1, "t", { signal }),
        () => invites.list(room1, { signal }),
        () => redemptions.owe([row], { signal }),
        () => redemptions.countWaiting({ mxid: bob }, { signal }),
        () => redemptions.lease({ now: 1, until: 2, limit: 1 }, { signal }),
        () => redemptions.settle(row, "1", { _tag: "Done" }, { signal }),
        () => redemptions.postpone(row, 1, { signal }),
        () => redemptions.nextDueAt({ signal }),
      ];
      for (const call of calls) await expect(call()).rejects.toBe(signal.reason);
      expect(await select("key FROM invites")).toEqual([]);
      expect(await select("token FROM redemptions")).toEqual([]);
    });

    it("says so where a row is not as it was written, without repeating what stands there", async () => {
      const { invites, redemptions, table } = await open();
      const life = {
        _tag: "Pending" as const,
        storedInvite: storedInvite("t"),
        askedAt: 0,
        earlierTokens: [],
      };
      await invites.putIfAbsent(record("a@x.example", { life }), {});
      for (const broken of [
        "[]",
        '{"_tag":"Lost"}',
        '{"_tag":"Pending","storedInvite":{"token":"secret"}}',
      ]) {
        await host.query(`UPDATE ${table}invites SET life = $1`, [broken]);
        await expect(invites.findByToken(room1, "t", {})).rejects.toThrow(
          /^The stored invite has no readable/,
        );
      }
      await redemptions.owe([owed("t")], {});
      await host.query(`UPDATE ${table}redemptions SET mxid = 'secret'`, []);
      await expect(redemptions.lease({ now: 100, until: 200, limit: 1 }, {})).rejects.toThrow(
        /^The column mxid holds nothing that was stored here\.$/,
      );
    });

    it("has an index for every question", async () => {
      const { invites, redemptions, schema, table } = await open();
      await invites.putIfAbsent(record("a@x.example"), {});
      await host.query(
        `INSERT INTO ${table}invites (key, mark, room_id, sender, id_server, created_at, details, life, tokens)
        SELECT key || n, mark, room_id, sender, id_server, created_at, details, life, ARRAY['t' || n]
        FROM ${table}invites, generate_series(1, 3000) AS n`,
        [],
      );
      await redemptions.owe(
        Array.from({ length: 2_000 }, (_, index) => owed(`t${index}`)),
        {},
      );
      await host.query(`ANALYZE ${table}invites`, []);
      await host.query(`ANALYZE ${table}redemptions`, []);

      const planOf = async (call: (storage: ReturnType<typeof storageIn>) => Promise<unknown>) => {
        let plan = "";
        const explaining = storageIn(
          {
            query: (text, params) =>
              host.transaction(async (client) => {
                await client.query("SET LOCAL enable_seqscan = off", []);
                const { rows } = await client.query(`EXPLAIN ${text}`, params);
                plan = rows.map((row) => String(row["QUERY PLAN"])).join("\n");
                return { rows: [] };
              }),
          },
          schema,
        );
        // There is no answer beside the plan, which some do not put up with.
        await call(explaining).catch(() => undefined);
        return plan;
      };

      const questions: readonly (readonly [RegExp, Parameters<typeof planOf>[0]])[] = [
        [/invites_pkey/, (on) => on.invites.replace(record("a@x.example"), "1", {})],
        [/invites_pkey/, (on) => on.invites.find(keyFor("a@x.example"), {})],
        [/invites_by_token/, (on) => on.invites.findByToken(room1, "t7", {})],
        [/invites_by_room/, (on) => on.invites.list(room1, {})],
        [/redemptions_by_user/, (on) => on.redemptions.countWaiting({ mxid: carol }, {})],
        [/redemptions_by_server/, (on) => on.redemptions.countWaiting({ destination: cExample }, {})],
        [/redemptions_free/, (on) => on.redemptions.lease({ now: 100, until: 200, limit: 1 }, {})],
        [/redemptions_pkey/, (on) => on.redemptions.settle(owed("t7"), "1", { _tag: "Done" }, {})],
        [/redemptions_pkey/, (on) => on.redemptions.postpone(owed("t7"), 1, {})],
        [/redemptions_free/, (on) => on.redemptions.nextDueAt({})],
      ];
      for (const [index, call] of questions) {
        const plan = await planOf(call);
        expect(plan).toMatch(index);
        expect(plan).not.toMatch(/Seq Scan/);
      }
      // Those two insert, and find what stands there by the key that makes it one.
      const puts = await planOf((on) => on.invites.putIfAbsent(record("a@x.example"), {}));
      expect(puts).toMatch(/Conflict Arbiter Indexes: third_party_invites_pkey/);
      const owes = await planOf((on) => on.redemptions.owe([owed("t")], {}));
      expect(owes).toMatch(/Conflict Arbiter Indexes: third_party_redemptions_pkey/);
    });
  });
});
