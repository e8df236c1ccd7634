import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { SqlRow, SqliteClient } from "matrix-third-party-invites/sqlite";

/** A Node that has node:sqlite, if there is one: see `with-node.sh`. */
export const nodeWithSqlite =
  process.env["TEST_SQLITE_NODE"] ??
  (Number(process.versions.node.split(".")[0]) >= 24 ? process.execPath : undefined);

type Answer = { readonly rows: readonly SqlRow[] } | { readonly error: string };

/** A connection of node:sqlite, in a process of its own. */
export const openNodeSqlite = (
  file = ":memory:",
): SqliteClient & { readonly close: () => Promise<void>; readonly kill: () => void } => {
  const driver = spawn(
    nodeWithSqlite ?? "node",
    ["--no-warnings", join(import.meta.dirname, "node-driver.mjs"), file],
    {
      stdio: ["pipe", "pipe", "inherit"],
    },
  );
  // What is written to a process that was killed is lost.
  driver.stdin.on("error", () => undefined);
  const ended = new Promise((resolve) => driver.once("close", resolve));
  const waiting: {
    readonly resolve: (rows: readonly SqlRow[]) => void;
    readonly reject: (error: Error) => void;
  }[] = [];
  createInterface(driver.stdout).on("line", (line) => {
    const answer = JSON.parse(line) as Answer;
    const first = waiting.shift();
    if ("rows" in answer) first?.resolve(answer.rows);
    else first?.reject(new Error(answer.error));
  });
  void ended.then(() => {
    for (const { reject } of waiting.splice(0)) reject(new Error("The process has ended."));
  });
  const closed = ended.then(() => undefined);
  return {
    all: (text, params) =>
      new Promise((resolve, reject) => {
        waiting.push({ resolve, reject });
        driver.stdin.write(`${JSON.stringify([text, params])}\n`);
      }),
    close: () => {
      driver.stdin.end();
      return closed;
    },
    kill: () => {
      driver.kill("SIGKILL");
    },
  };
};
