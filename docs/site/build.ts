/**
 * `npm run site` writes the site into the folder `site`, `npm run site -- FOLDER` into that folder: the pages, the reference, the
 * inspector and the test data. It fails if a link of the site leads nowhere.
 */
import { copyFileSync, mkdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { filesIn, linksOf, pages, read, slugOf } from "../../test/docs/pages.js";
import { entryPoints } from "../../test/generate/entry-points.js";
import { inspectorPage } from "../inspector/build.js";
import { caseTable } from "./cases.js";
import { checkSite, maxLines } from "./links.js";
import { writeSite } from "./typedoc.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
const isFolder = (path: string): boolean => statSync(join(root, path)).isDirectory();

/** The files that a link to a path shows: itself, or those in that directory. */
const filesAt = (path: string): readonly string[] =>
  isFolder(path) ? filesIn(path).filter((one) => /(?<!lock)\.(?:[mc]?[jt]s|json|sh)$/.test(one)) : [path];

const languages: Readonly<Record<string, string>> = { ts: "typescript", json: "json", sh: "bash" };

const sourceBlock = (path: string): string =>
  `## ${path}\n\n\`\`\`\`${languages[path.split(".").at(-1) ?? ""] ?? "javascript"}\n${read(path).trimEnd()}\n\`\`\`\`\n`;

/** The sources of a file or a directory, the cases of test data. A large directory is only listed, because a page has its limit. */
const sourcesOf = (path: string): string => {
  if (path.startsWith("test/fixtures/")) return filesIn(path).map(caseTable).join("\n");
  const files = filesAt(path);
  const blocks = files.map(sourceBlock).join("\n");
  return blocks.split("\n").length < maxLines ? blocks : files.map((file) => `- \`${file}\``).join("\n");
};

/** Source files and directories that pages link to, each as a page of its own. Entry points are in the reference. */
const sourcePages = (): ReadonlyMap<string, string> => {
  const linked = pages.flatMap((page) =>
    linksOf(read(page))
      .filter((link) => !/^(?:[a-z]+:|#)/.test(link))
      .map((link) => join(dirname(page), link.split("#")[0] ?? "")),
  );
  const known = new Set(entryPoints.map(({ source }) => source));
  const paths = [...new Set(linked)].filter(
    (path) => !known.has(path) && (isFolder(path) || path.endsWith(".ts")),
  );
  return new Map(paths.map((path) => [path, `# ${path}\n\n${sourcesOf(path)}`]));
};

const folder = resolve(process.argv[2] ?? join(root, "site"));
rmSync(folder, { recursive: true, force: true });
await writeSite({
  entryPoints: entryPoints.map(({ name, source }) => ({
    source,
    importName: name === "index" ? "matrix-third-party-invites" : `matrix-third-party-invites/${name}`,
  })),
  pages: [...pages.filter((page) => page !== "README.md"), "test/fixtures/README.md"],
  sourcePages: sourcePages(),
  slugOf,
  folder,
});
mkdirSync(join(folder, "inspector"));
writeFileSync(join(folder, "inspector/index.html"), await inspectorPage());
const mermaid = fileURLToPath(import.meta.resolve("@mermaid-js/tiny"));
copyFileSync(mermaid, join(folder, "assets/mermaid.js"));

const { pages: count, links, faults } = checkSite(folder);
for (const fault of faults) console.error(fault);
if (faults.length > 0) process.exitCode = 1;
else console.log(`the site: ${count} pages, ${links} links, each leads to a page of the site`);
