/**
 * What the package holds: what it promises and nothing else; and every map leads to a source that is in it, so that "go to
 * definition" and a debugger end in TypeScript that one can read.
 */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, posix } from "node:path";
import { promisify } from "node:util";
import { pack } from "./tarball.js";

const pages = ["package.json", "README.md", "LICENSE", "CHANGELOG.md"];

const isOurs = (path: string): boolean =>
  pages.includes(path) || /^dist\/(?!src\/).*\.(js|d\.ts)(\.map)?$|^dist\/src\/.*(?<!\.d)\.ts$/.test(path);

/** What each file leads to: a map's sources, a file's map. */
const leads = (path: string, text: string): readonly string[] => {
  const folder = posix.dirname(path);
  const named = path.endsWith(".map")
    ? (JSON.parse(text) as { readonly sources: readonly string[] }).sources
    : [/^\/\/# sourceMappingURL=(.+)$/m.exec(text)?.[1] ?? "no map"];
  return named.map((name) => posix.join(folder, name));
};

const folder = await mkdtemp(join(tmpdir(), "package-contents-"));
try {
  const { file, paths, size } = await pack(folder);
  await promisify(execFile)("tar", ["-xzf", file, "-C", folder]);
  const known = new Set(paths);
  const manifest = JSON.parse(await readFile(join(folder, "package/package.json"), "utf8")) as Record<
    string,
    unknown
  >;
  const wrong = [
    ...pages.filter((path) => !known.has(path)).map((path) => `${path} is missing`),
    ...paths.filter((path) => !isOurs(path)).map((path) => `${path} does not belong there`),
    ...(manifest["sideEffects"] === false ? [] : ["package.json does not say that nothing has side effects"]),
  ];
  for (const path of paths.filter((one) => /^dist\/(?!src\/)/.test(one))) {
    const text = await readFile(join(folder, "package", path), "utf8");
    wrong.push(
      ...leads(path, text)
        .filter((to) => !known.has(to))
        .map((to) => `${path} leads to ${to}`),
    );
  }
  for (const line of wrong) console.error(line);
  if (wrong.length > 0) process.exitCode = 1;
  else console.log(`the package: ${paths.length} files, ${size} bytes; every map leads to a source in it`);
} finally {
  await rm(folder, { recursive: true, force: true });
}
