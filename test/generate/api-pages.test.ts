import { readFileSync, readdirSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { expect, it } from "vitest";

const root = join(import.meta.dirname, "../..");
const read = (path: string): string => readFileSync(join(root, path), "utf8");

const pages = readdirSync(join(root, "docs/api")).map((name) => `docs/api/${name}`);

const anchors = (page: string): ReadonlySet<string> =>
  new Set([...read(page).matchAll(/<a id="([^"]+)">/g)].map(([, id]) => id ?? ""));

it.each(pages)("every link of %s leads to a page, and to an anchor on it", (page) => {
  const dead = [...read(page).matchAll(/\]\(([^)#\s]*)(?:#([^)\s]+))?\)/g)].filter(
    ([, path = "", anchor]) => {
      if (path.startsWith("https:")) return false;
      const target = path === "" ? page : normalize(join(dirname(page), path));
      return anchor === undefined ? read(target) === "" : !anchors(target).has(anchor);
    },
  );
  expect(dead.map(([link]) => link)).toEqual([]);
});

it.each(pages)("%s names no line, no day and no folder of the machine that made it", (page) => {
  expect(read(page)).not.toMatch(/#L\d|file:\/\/|\/(?:home|root|Users|tmp)\/|20\d\d-\d\d-\d\d/);
});
