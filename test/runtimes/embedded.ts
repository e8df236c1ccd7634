import { type Runtime, nodeAtHand, runtimes } from "./runtimes.js";

/** A driver of SQLite that not every Node has, and the program that holds the adapter over it against the contract. */
export interface Embedded {
  readonly name: string;
  readonly runtime: Runtime;
  readonly package?: readonly [name: string, spec: string];
  readonly program: string;
}

/** What such a program says. */
export interface KitReport {
  readonly passed: number;
  readonly skipped: number;
  readonly failed: readonly string[];
}

const program = (imports: string, open: string): string => `${imports}
import { migrate, sqliteStorage } from "matrix-third-party-invites/sqlite";
import { storageContract } from "matrix-third-party-invites/testing";

const open = ${open};

const checks = [];
storageContract(
  { describe: (name, run) => run(), it: (name, check) => checks.push([name, check]) },
  {
    open: async () => {
      const client = await open();
      await migrate(client);
      return sqliteStorage(client);
    },
  },
);

class Skipped extends Error {}
const skip = () => {
  throw new Skipped();
};
const report = { passed: 0, skipped: 0, failed: [] };
for (const [name, check] of checks)
  try {
    await check({ skip });
    report.passed += 1;
  } catch (error) {
    if (error instanceof Skipped) report.skipped += 1;
    else report.failed.push(\`\${name}: \${error}\`);
  }
console.log(JSON.stringify(report));
process.exit();
`;

const onNode = program(
  `import { DatabaseSync } from "node:sqlite";`,
  `() => {
  const database = new DatabaseSync(":memory:");
  return { all: (statement, params) => database.prepare(statement).all(...params) };
}`,
);

const onBun = program(
  `import { Database } from "bun:sqlite";`,
  `() => {
  const database = new Database(":memory:");
  return { all: (statement, params) => database.query(statement).all(...params) };
}`,
);

const onD1 = program(
  `import { Miniflare } from "miniflare";

const names = Array.from({ length: 200 }, (_, index) => \`DB\${index}\`);
const worker = new Miniflare({ modules: true, script: "export default {}", d1Databases: names });`,
  `async () => {
  const database = await worker.getD1Database(names.shift());
  return { all: async (statement, params) => (await database.prepare(statement).bind(...params).all()).results };
}`,
);

const named = (name: string): Runtime => {
  const found = runtimes.find((runtime) => runtime.name === name);
  if (found === undefined) throw new Error(`There is no runtime ${name}.`);
  return found;
};

export const embedded: readonly Embedded[] = [
  { name: "node:sqlite on 22", runtime: named("node 22"), program: onNode },
  { name: "node:sqlite on 24", runtime: named("node 24"), program: onNode },
  { name: "bun:sqlite", runtime: named("bun"), program: onBun },
  { name: "Cloudflare D1", runtime: nodeAtHand, package: ["miniflare", "4"], program: onD1 },
];
