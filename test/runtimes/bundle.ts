import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { build } from "esbuild";
import type { Fixtures } from "./suite.js";

const here = fileURLToPath(new URL(".", import.meta.url));
const folder = join(here, "../fixtures");

/** All cases, unpacked. */
const fixtures = (): Fixtures =>
  Object.fromEntries(
    readdirSync(folder, { recursive: true, encoding: "utf8" })
      .filter((name) => /\.jsonl?(\.gz)?$/.test(name))
      .sort()
      .map((name) => {
        const file = readFileSync(join(folder, name));
        return [name.replaceAll("\\", "/"), (name.endsWith(".gz") ? gunzipSync(file) : file).toString()];
      }),
  );

/**
 * Writes the suite with its cases as one module that exports `run(engines)`. It imports the library by its name, so whoever
 * imports it judges what is installed beside it.
 */
export const bundleSuite = async (outfile: string): Promise<void> => {
  const contents = `
    import { runSuite } from "./suite.js";
    export const run = (engines) => runSuite(engines, ${JSON.stringify(fixtures())});`;
  await build({
    stdin: { contents, resolveDir: here },
    outfile,
    bundle: true,
    format: "esm",
    platform: "node",
    target: "es2023",
    external: ["matrix-third-party-invites", "matrix-third-party-invites/*"],
    tsconfigRaw: {},
  });
};

/** Bundles one module with all that it imports for a browser, where the runner's few uses of Node have stand-ins. */
export const bundleForBrowser = async (entry: string): Promise<string> => {
  const standIn = join(here, "browser-node.ts");
  const { outputFiles } = await build({
    entryPoints: [entry],
    write: false,
    bundle: true,
    format: "esm",
    platform: "browser",
    target: "es2023",
    // `./node` is imported by the runner and not used here, so nothing of it is left.
    external: ["node:crypto", "node:net", "node:dns/promises", "undici"],
    alias: { "node:util": standIn, "node:zlib": standIn },
    inject: [standIn],
    tsconfigRaw: {},
  });
  return outputFiles.map(({ text }) => text).join("");
};
