import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";

/** A program that runs JavaScript, and the package of the registry that it comes in. */
export interface Runtime {
  readonly name: string;
  readonly package?: readonly [name: string, spec: string];
  readonly find: (folder: string) => string | undefined;
  readonly args: readonly string[];
  readonly version: RegExp;
}

const [system, arch] = [process.platform === "win32" ? "win" : process.platform, process.arch];

/** The package `node` would fetch this one by a script. */
const node = (version: string): Runtime => {
  const name = `node-${version}`;
  return {
    name: `node ${version}`,
    package: [name, `npm:node-${system}-${arch}@${version}`],
    find: (folder) => join(folder, "node_modules", name, system === "win" ? "bin/node.exe" : "bin/node"),
    args: [],
    version: /v(\S+)/,
  };
};

/** Of a package for each system, npm installs the fitting ones. */
const byScope = (scope: string, ...paths: readonly string[]) => {
  return (folder: string): string | undefined => {
    const scoped = join(folder, "node_modules", scope);
    return (existsSync(scoped) ? readdirSync(scoped) : [])
      .flatMap((name) => paths.map((path) => join(scoped, name, path)))
      .find((path) => existsSync(path));
  };
};

export const nodeAtHand: Runtime = {
  name: "node at hand",
  find: () => process.execPath,
  args: [],
  version: /v(\S+)/,
};

/** The oldest Node that is promised, the long-term ones after it, and the others. */
export const runtimes: readonly Runtime[] = [
  node("20.19.0"),
  node("22"),
  node("24"),
  {
    name: "bun",
    package: ["bun", "1"],
    find: byScope("@oven", "bin/bun", "bin/bun.exe"),
    args: [],
    version: /(\S+)/,
  },
  {
    name: "deno",
    package: ["deno", "2"],
    find: byScope("@deno", "deno", "deno.exe"),
    args: ["run", "--quiet", "--no-remote", "--allow-read", "--allow-env"],
    version: /deno (\S+)/,
  },
];
