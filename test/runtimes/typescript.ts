import { copyFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import process from "node:process";
import { outputOf, run } from "./command.js";

/** A compiler, by the folder of its package. */
export interface Compiler {
  readonly name: string;
  readonly package?: readonly [name: string, spec: string];
  readonly find: (folder: string) => string;
}

const released = (version: string): Compiler => {
  const name = `typescript-${version}`;
  return {
    name: `typescript ${version}`,
    package: [name, `npm:typescript@~${version}`],
    find: (folder) => join(folder, "node_modules", name),
  };
};

export const compilers: readonly Compiler[] = ["5.9", "6.0", "7.0"].map(released);

export const compilerAtHand: Compiler = {
  name: "typescript at hand",
  find: () => fileURLToPath(new URL("../../node_modules/typescript", import.meta.url)),
};

const strict = {
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  skipLibCheck: false,
  noEmit: true,
  target: "es2023",
};

const node = { module: "nodenext", lib: ["es2023"], types: ["node"] };
const bundler = { module: "preserve", moduleResolution: "bundler", lib: ["es2023"] };

/** On a server every entry point by each way to find it; in a page those that can be there, without Node's types. */
const projects = [
  { name: "nodenext", file: "server.ts", options: node },
  { name: "commonjs", file: "commonjs.cts", options: node },
  { name: "bundler", file: "server.ts", options: { ...bundler, types: ["node"] } },
  { name: "page", file: "page.ts", options: { ...bundler, lib: ["es2023", "dom"], types: [] } },
];

const byRequire = `import core = require("matrix-third-party-invites");
import decisions = require("matrix-third-party-invites/decisions");
import http = require("matrix-third-party-invites/http");
import judge = require("matrix-third-party-invites/judge");
import matrix = require("matrix-third-party-invites/matrix");
import node = require("matrix-third-party-invites/node");
import ports = require("matrix-third-party-invites/ports");
export const create: typeof core.createThirdPartyInvites = core.createThirdPartyInvites;
export const endpoint: typeof http.inviteEndpoint = http.inviteEndpoint;
export const crypto: ports.CryptoEngine = node.nodeCrypto;
export const decision: decisions.Decision<decisions.RedeemCommand, decisions.RedeemOutcome> = decisions.redeem;
export const version: judge.RoomVersion | undefined = matrix.roomVersion("12");
`;

export interface Compiled {
  readonly version: string;
  readonly projects: readonly string[];
  readonly errors: readonly string[];
}

/** Compiles the consumers as strictly as can be, declarations of all libraries included. */
export const compile = async (compiler: Compiler, folder: string): Promise<Compiled> => {
  const tsc = join(compiler.find(folder), "bin/tsc");
  const said = await outputOf(process.execPath, [tsc, "--version"], folder);
  const errors: string[] = [];
  for (const file of ["server.ts", "page.ts"])
    await copyFile(new URL(`consumer/${file}`, import.meta.url), join(folder, file));
  await writeFile(join(folder, "commonjs.cts"), byRequire);
  for (const { name, file, options } of projects) {
    const config = `tsconfig.${name}.json`;
    const content = { compilerOptions: { ...strict, ...options }, files: [file] };
    await writeFile(join(folder, config), JSON.stringify(content));
    const { isGood, out, err } = await run(process.execPath, [tsc, "--project", config], folder);
    if (!isGood) errors.push(`${name}: ${(out || err).trim()}`);
  }
  return { version: /\d\S*/.exec(said)?.[0] ?? "", projects: projects.map(({ name }) => name), errors };
};
