// Answers statements from its standard input with node:sqlite, one JSON text a line: for tests on a Node without it.
import { DatabaseSync } from "node:sqlite";
import { createInterface } from "node:readline";
import { argv, stdin } from "node:process";

const db = new DatabaseSync(argv[2] ?? ":memory:");
db.exec("PRAGMA journal_mode = WAL; PRAGMA busy_timeout = 5000");

const answer = ([text, params]) => {
  try {
    return { rows: db.prepare(text).all(...params) };
  } catch (error) {
    return { error: String(error) };
  }
};

for await (const line of createInterface(stdin)) console.log(JSON.stringify(answer(JSON.parse(line))));
