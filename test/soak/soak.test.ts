import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, it } from "vitest";
import { postgresUrl } from "../postgres/servers.js";
import { nodeWithSqlite } from "../sqlite/node-driver.js";

const soak = (node: string, ...more: readonly string[]) => {
  const main = join(import.meta.dirname, "main.ts");
  const { stdout, status } = spawnSync(
    node,
    ["--no-warnings", "--import", "tsx", main, "--seconds", "4", "--json", ...more],
    { encoding: "utf8" },
  );
  return { said: JSON.parse(stdout) as unknown, status };
};

const expectAllEnded = (
  { said, status }: ReturnType<typeof soak>,
  expected: Readonly<Record<string, unknown>>,
): void => {
  expect(said).toMatchObject({ wrong: [], ...expected });
  expect(said).not.toMatchObject({ invites: 0 });
  expect(said).not.toMatchObject({ killed: 0 });
  expect(status).toBe(0);
};

it.skipIf(postgresUrl === undefined)(
  "processes over one PostgreSQL that are killed at random: every invite ends once",
  () => {
    expectAllEnded(soak(process.execPath), { processes: 4, storage: "PostgreSQL" });
  },
);

it.skipIf(nodeWithSqlite === undefined)(
  "processes over one SQLite file that are killed at random: every invite ends once",
  () => {
    expectAllEnded(soak(nodeWithSqlite ?? "", "--sqlite"), { processes: 2, storage: "SQLite" });
  },
);
