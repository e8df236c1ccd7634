import { execFile } from "node:child_process";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import type { Storage } from "matrix-third-party-invites/postgres";
import { describe, expect, it } from "vitest";
import { isAll } from "../all.js";
import { owed, record } from "../testing/memory/samples.js";
import { postgresUrl } from "./servers.js";

const root = resolve(import.meta.dirname, "../..");
const read = (path: string): string => readFileSync(join(root, path), "utf8");
const folder = "docs/examples/postgres";
const page = read("docs/how-to/postgres.md");

/** What stands in docs/examples/postgres. */
interface Example {
  readonly storage: Storage;
  readonly pool?: {
    readonly query: (text: string) => Promise<unknown>;
    readonly end: () => Promise<void>;
    readonly listenerCount: (event: string) => number;
  };
  readonly db?: { readonly query: (text: string) => Promise<unknown>; readonly close: () => Promise<void> };
}

const example = async (name: string): Promise<Example> =>
  (await import(`../../docs/examples/postgres/${name}.ts`)) as Example;

const useIt = async ({ storage: { invites, redemptions }, pool, db }: Example): Promise<void> => {
  const { value } = await invites.putIfAbsent(record("how@x.example"), {});
  expect(await invites.find(value.key, {})).toEqual(expect.objectContaining({ value }));
  await redemptions.put([owed("how-to")], {});
  expect(await redemptions.nextDueAt({})).toBe(100);
  const shown = [...page.matchAll(/```sql\n([^]*?)\n```/g)].map(([, sql = ""]) => sql);
  expect(shown).toHaveLength(1);
  for (const sql of shown)
    expect(await (pool ?? db)?.query(sql)).toMatchObject({ rows: [{ destination: "a.example" }] });
};

describe("docs/how-to/postgres.md", () => {
  it.each(readdirSync(join(root, folder)))("shows %s as it runs", (name) => {
    expect(page).toContain(`\`\`\`ts\n${read(`${folder}/${name}`).trimEnd()}\n\`\`\`\n`);
  });

  it("has no dead link", () => {
    const targets = [...page.matchAll(/\]\(((?!https:)[^)\s#]+)\)/g)].map(([, target = ""]) => target);
    expect(targets.length).toBeGreaterThan(0);
    expect(targets.filter((target) => !existsSync(join(root, "docs/how-to", target)))).toEqual([]);
  });

  it("wires PGlite in", async () => {
    const wired = await example("pglite");
    await useIt(wired);
    await wired.db?.close();
  });

  it.skipIf(postgresUrl === undefined)("wires pg in", async () => {
    process.env["DATABASE_URL"] = postgresUrl;
    const wired = await example("pg");
    // Without one, an idle connection that breaks ends the process.
    expect(wired.pool?.listenerCount("error")).toBe(1);
    await useIt(wired);
    for (const name of ["invites", "redemptions", "limits", "migrations"])
      await wired.pool?.query(`DROP TABLE third_party_${name}`);
    await wired.pool?.end();
  });

  it("checks an adapter with the runner of Node", async () => {
    // All of it is asked of the same adapter in contract-pglite.test.ts.
    const some = isAll ? [] : ["--test-name-pattern", "^(?:claim|find)"];
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ["--import", "tsx", "--test", ...some, "--test-reporter", "tap", join(root, folder, "contract.ts")],
      { cwd: root, env: { ...process.env, NODE_TEST_CONTEXT: undefined } },
    );
    expect(stdout).toMatch(isAll ? /^# pass [4-6]\d$/m : /^# pass \d+$/m);
    expect(stdout).toMatch(/^# fail 0$/m);
    if (isAll) expect(stdout).toMatch(/^# skipped 14$/m);
  });
});
