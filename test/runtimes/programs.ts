/** The programs that runtimes are given, by the name of their file; `suite.mjs` stands beside them. */

const engines = {
  node: `{ name: "node", crypto: nodeCrypto, signingKey: nodeSigningKey }`,
  portable: `{ name: "portable", crypto: portableCrypto, signingKey: portableSigningKey }`,
};

const imports = (name: keyof typeof engines): string =>
  `import { ${name}Crypto, ${name}SigningKey } from "matrix-third-party-invites/${name}";`;

const onServer = `${imports("node")}${imports("portable")}
import { run } from "./suite.mjs";
console.log(JSON.stringify(await run([${engines.node}, ${engines.portable}])));
`;

const inPage = `${imports("portable")}
import { run } from "./suite.mjs";
await fetch("/report", { method: "POST", body: JSON.stringify(await run([${engines.portable}])) });
`;

/** Each entry point by require(), from CommonJS, is the same module as by import; and no optional peer is needed for it. */
const byRequire = `const { exports: entries, peerDependencies } = require("matrix-third-party-invites/package.json");

for (const peer of Object.keys(peerDependencies)) {
  let found;
  try {
    found = require.resolve(peer);
  } catch {
    continue;
  }
  // Bun has an undici of its own, which is no file.
  if (found === peer) continue;
  throw new Error(\`the optional peer \${peer} is there: \${found}\`);
}

const names = Object.keys(entries)
  .filter((path) => path !== "./package.json")
  .map((path) => path.replace(/^\\./, "matrix-third-party-invites"));

Promise.all(
  names.map(async (name) => {
    const [required, imported] = [require(name), await import(name)];
    const differing = Object.keys(imported).filter((key) => required[key] !== imported[key]);
    const isTypesOnly = name === "matrix-third-party-invites/ports";
    if (differing.length > 0 || (Object.keys(imported).length === 0) !== isTypesOnly)
      throw new Error(\`\${name} by require() is another: \${differing.join(", ")}\`);
  }),
).then(
  () => console.log(\`require() of \${names.length} entry points without peers\`),
  (error) => {
    console.error(error);
    process.exitCode = 1;
  },
);
`;

/** What several entry points have is one thing, and an `Either` of the host's own fp-ts is as good as one of the library's. */
const instances = `import { deepStrictEqual, strictEqual } from "node:assert";
import { getOrElse, left, right } from "fp-ts/lib/Either.js";
import { applyDecision } from "matrix-third-party-invites/decisions";
import * as judge from "matrix-third-party-invites/judge";
import * as matrix from "matrix-third-party-invites/matrix";
import { nodeCrypto as crypto } from "matrix-third-party-invites/node";

const shared = Object.keys(judge).filter((name) => name in matrix);
strictEqual(shared.length > 0, true);
for (const name of shared) strictEqual(judge[name], matrix[name], name);

// The class of numbers that are kept as they were written is told by instanceof.
const parsed = judge.parseStrict("[1.0]", "any");
deepStrictEqual(matrix.canonicalJson(parsed.right, "any"), right("[1.0]"));

const state = judge.roomState("!room:example.org", judge.roomVersion("10"), []);
const decided = (answer) => applyDecision({ reads: () => [], decide: () => answer }, state, {}, { crypto });
deepStrictEqual(decided(right({ events: [] })), right({ events: [] }));
deepStrictEqual(decided(left("no")), left("no"));
strictEqual(getOrElse(({ reason }) => reason)(matrix.canonicalJson(NaN)), "number");
console.log("entry points share " + shared.join(", "));
`;

export const programs = {
  "on-server.mjs": onServer,
  "in-page.mjs": inPage,
  "require.cjs": byRequire,
  "instances.mjs": instances,
};
