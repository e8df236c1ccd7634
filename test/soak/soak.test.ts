import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, it } from "vitest";
import { postgresUrl } from "../postgres/servers.js";

it.skipIf(postgresUrl === undefined)("processes that are killed at random: every invite ends once", () => {
  const main = join(import.meta.dirname, "main.ts");
  const { stdout, status } = spawnSync(
    process.execPath,
    ["--import", "tsx", main, "--seconds", "4", "--json"],
    { encoding: "utf8" },
  );
  const said: unknown = JSON.parse(stdout);
  expect(said).toMatchObject({ wrong: [], processes: 4 });
  expect(said).not.toMatchObject({ invites: 0 });
  expect(said).not.toMatchObject({ killed: 0 });
  expect(status).toBe(0);
});
