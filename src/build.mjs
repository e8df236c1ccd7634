/**
 * `npm run build`: makes dist. All entry points are bundled together, so that what several share is there once. fp-ts is
 * in the bundle, other packages are imported (D-230). Each source that an entry point's types lead to has its
 * declarations. Maps lead to src, which is shipped; `./testing` has no maps, and its sources are not shipped (D-231).
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("..", import.meta.url));
const dist = join(root, "dist");
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const entries = Object.values(manifest.exports).filter((target) => typeof target === "object");

const testing = join(dist, "testing/");
const mapComment = /\n\/\/# sourceMappingURL=.*\n?$/;

rmSync(dist, { recursive: true, force: true });
const tsc = join(root, "node_modules/typescript/bin/tsc");
execFileSync(process.execPath, [tsc, "-p", "src/tsconfig.build.json"], { cwd: root, stdio: "inherit" });

const declarations = new Set();
const visit = (file) => {
  if (declarations.has(file)) return;
  declarations.add(file);
  const text = readFileSync(file, "utf8");
  for (const [, to] of text.matchAll(/(?:from |import\()"(\.[^"]+)\.js"/g))
    visit(join(dirname(file), `${to}.d.ts`));
};
for (const { types } of entries) visit(join(root, types));

for (const name of readdirSync(dist, { recursive: true })) {
  const file = join(dist, name);
  const of = file.replace(/\.map$/, "");
  if (!of.endsWith(".d.ts")) continue;
  if (!declarations.has(of) || (of !== file && file.startsWith(testing))) rmSync(file);
  else if (file.startsWith(testing))
    writeFileSync(file, readFileSync(file, "utf8").replace(mapComment, "\n"));
}

const packages = Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies });
const { outputFiles } = await build({
  absWorkingDir: root,
  entryPoints: entries.map((target) => target.default.replace(/^\.\/dist\/(.*)\.js$/, "src/$1.ts")),
  outbase: "src",
  outdir: "dist",
  chunkNames: "chunks/[hash]",
  bundle: true,
  splitting: true,
  format: "esm",
  target: "es2023",
  platform: "neutral",
  mainFields: ["module"],
  alias: { "fp-ts/lib": "fp-ts/es6" },
  external: ["node:*", ...packages.filter((name) => name !== "fp-ts").flatMap((name) => [name, `${name}/*`])],
  sourcemap: true,
  sourcesContent: false,
  tsconfigRaw: {},
  logLevel: "warning",
  write: false,
});

/** No module has an effect of its own, and bundlers warn of an import that asks for one. Lines stay, for the maps. */
const withoutBareImports = (code) => code.replaceAll(/^import "\.[^"]*";$/gm, "");
/** As installed, fp-ts is beside this package. */
const withPathsAsInstalled = (map) => map.replaceAll("node_modules/fp-ts/", "../fp-ts/");

for (const { path, text } of outputFiles) {
  const isMap = path.endsWith(".map");
  const isTesting = path.startsWith(testing);
  if (isMap && isTesting) continue;
  const written = isMap ? withPathsAsInstalled(text) : withoutBareImports(text);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, isTesting ? written.replace(mapComment, "\n") : written);
}
