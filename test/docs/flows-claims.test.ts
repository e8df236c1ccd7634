import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { read, root, rowsOf } from "./flows-page.js";

const pages = [
  "docs/explanation.md",
  "docs/explanation/flows.md",
  "docs/explanation/rules.md",
  "docs/threat-model.md",
  "docs/stability.md",
  "SECURITY.md",
  "CONTRIBUTING.md",
];

/** Paths of ours that a page names in code. */
const pathsIn = (page: string): readonly string[] =>
  [...page.matchAll(/`((?:src|test|docs|\.ci)\/[\w./-]+|[\w-]+\.(?:md|json))`/g)].map(
    ([, path = ""]) => path,
  );

const linksIn = (page: string): readonly string[] =>
  [...page.matchAll(/\]\(([^)\s#]+)[^)]*\)/g)].map(([, to = ""]) => to).filter((to) => !/^https?:/.test(to));

describe.each(pages)("%s", (path) => {
  const page = read(path);

  it("names no file that is not there", () => {
    expect(pathsIn(page).filter((named) => !existsSync(join(root, named)))).toEqual([]);
  });

  it("has no dead link", () => {
    expect(linksIn(page).filter((to) => !existsSync(join(root, dirname(path), to)))).toEqual([]);
  });

  it("names no command that package.json does not have", () => {
    const commands = [...page.matchAll(/`npm run ([\w:-]+)/g)].map(([, name = ""]) => name);
    const manifest = read("package.json");
    expect(commands.filter((name) => !manifest.includes(`    "${name}": `))).toEqual([]);
  });
});

describe("docs/explanation.md: the source files of each path", () => {
  const [, section = ""] = /\n## Reading the source\n([^]*?)\n## /.exec(read("docs/explanation.md")) ?? [];
  const paths = section
    .split("\n### ")
    .slice(1)
    .map((text) => [
      text.split("\n", 1)[0] ?? "",
      [...text.matchAll(/^\d+\. `([^`]+)`/gm)].map(([, file = ""]) => file),
    ]) as readonly (readonly [string, readonly string[]])[];

  /** The files that a file imports, and those that they import. */
  const reachedFrom = (file: string, reached = new Set<string>()): ReadonlySet<string> => {
    if (reached.has(file)) return reached;
    reached.add(file);
    for (const [, to = ""] of read(file).matchAll(/ from "(\.[^"]+)\.js"/g))
      reachedFrom(join(dirname(file), `${to}.ts`), reached);
    return reached;
  };

  it("there are four", () => {
    expect(paths.map(([name]) => name)).toEqual([
      "A client's invite",
      "An onbind",
      "An exchange",
      "A received event",
    ]);
  });

  it.each(paths)("%s: at most twelve, all of them there, and used by the first", (_name, files) => {
    expect(files.length).toBeGreaterThan(5);
    expect(files.length).toBeLessThanOrEqual(12);
    const reached = reachedFrom(files[0] ?? "");
    expect(files.filter((file) => !reached.has(file))).toEqual([]);
  });
});

describe("docs/threat-model.md", () => {
  const page = read("docs/threat-model.md");
  const rows = page
    .split("\n")
    .filter((line) => /^\| (?!---)/.test(line) && !line.endsWith("| shown by |"))
    .flatMap((line) => rowsOf(`\n\n${line}`));

  it("has a place and a test for each row", () => {
    expect(rows.length).toBeGreaterThan(30);
    const without = rows.filter(
      (cells) => !(cells.at(-2) ?? "").startsWith("`src/") || !/^`test\/.+`: \*/.test(cells.at(-1) ?? ""),
    );
    expect(without.map(([what]) => what)).toEqual([]);
  });

  // In the tables and in the text between them.
  const shown = [...page.matchAll(/`(test\/[^`]+)`: ((?:\*[^*]+\*(?:, )?)+)/g)].flatMap(
    ([, file = "", names = ""]) =>
      [...names.matchAll(/\*([^*]+)\*/g)].map(([, name = ""]) => [file, name] as const),
  );

  it.each(shown)("%s has a test *%s*", (file, name) => {
    // In a name, and not in a comment or by chance in the code.
    expect(
      read(file)
        .split("\n")
        .some((line) => /["'`]/.test(line.split(name)[0] ?? line) && line.includes(name)),
    ).toBe(true);
  });
});
