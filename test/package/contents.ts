/**
 * What the package holds: what it promises and nothing else. Every map leads to a source that is in it, so that "go to
 * definition" and a debugger end in TypeScript that one can read; and no link of its README and declarations is dead.
 */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, posix } from "node:path";
import { promisify } from "node:util";
import { linksOf } from "../docs/pages.js";
import { pack } from "./tarball.js";

const pages = ["package.json", "README.md", "LICENSE", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"];

const isOurs = (path: string): boolean =>
  pages.includes(path) ||
  /^dist\/.*\.(js|d\.ts)(\.map)?$|^src\/(?!testing\/).*(?<!\.d)\.ts$|^docs\/.*\.(md|svg)$/.test(path);

const mostFiles = 600;

/** What each file of dist leads to: a map's sources, a file's map. `./testing` has no maps (D-231). */
const leads = (path: string, text: string): readonly string[] => {
  const named = path.endsWith(".map")
    ? (JSON.parse(text) as { readonly sources: readonly string[] }).sources
    : [/^\/\/# sourceMappingURL=(.+)$/m.exec(text)?.[1] ?? "no map"];
  return path.startsWith("dist/testing/") ? [] : named.map((name) => posix.join(posix.dirname(path), name));
};

/** Where the relative links of a page or of docstrings lead, and the pages that docstrings name. */
const linked = (path: string, text: string): readonly string[] => {
  const named = path.endsWith(".md") ? [] : (text.match(/\bdocs\/[\w/-]+\.md\b/g) ?? []);
  const relative = linksOf(text).filter((link) => !/^(https?:|mailto:|#)/.test(link));
  return [
    ...named,
    ...relative.map((link) => posix.join(posix.dirname(path), link.replace(/[#?].*/, "").replace(/\/$/, ""))),
  ];
};

/** Pages below docs may lead to what only the repository has: the examples, the tests and `./testing` (D-231). */
const isOfTheRepository = (path: string): boolean => /^(docs\/examples|src\/testing|test)\//.test(path);

const folder = await mkdtemp(join(tmpdir(), "package-contents-"));
try {
  const { file, paths, size } = await pack(folder);
  await promisify(execFile)("tar", ["-xzf", file, "-C", folder]);
  const read = (path: string) => readFile(join(folder, "package", path), "utf8");
  const known = new Set(paths);
  const isThere = (path: string): boolean =>
    known.has(path) || paths.some((other) => other.startsWith(`${path}/`));
  const manifest = JSON.parse(await read("package.json")) as Record<string, unknown>;
  const wrong = [
    ...pages.filter((path) => !known.has(path)).map((path) => `${path} is missing`),
    ...paths.filter((path) => !isOurs(path)).map((path) => `${path} does not belong there`),
    ...(manifest["sideEffects"] === false ? [] : ["package.json does not say that nothing has side effects"]),
    ...(paths.length <= mostFiles ? [] : [`${paths.length} files are more than ${mostFiles}`]),
  ];
  for (const path of paths) {
    const text = /^dist\/|\.md$/.test(path) ? await read(path) : "";
    if (path.startsWith("dist/"))
      wrong.push(
        ...leads(path, text)
          // fp-ts, which is inlined, is installed beside this package.
          .filter((to) => !known.has(to) && !to.startsWith("../fp-ts/es6/"))
          .map((to) => `${path} leads to ${to}`),
      );
    if (/\.(md|d\.ts)$/.test(path))
      wrong.push(
        ...linked(path, text)
          .filter((to) => !isThere(to) && !(path.startsWith("docs/") && isOfTheRepository(to)))
          .map((to) => `${path} has a link to ${to}`),
      );
  }
  for (const line of wrong) console.error(line);
  if (wrong.length > 0) process.exitCode = 1;
  else console.log(`the package: ${paths.length} files, ${size} bytes; every map and link leads into it`);
} finally {
  await rm(folder, { recursive: true, force: true });
}
