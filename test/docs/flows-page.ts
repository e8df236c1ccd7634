import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";

export const root = resolve(import.meta.dirname, "../..");
export const read = (path: string): string => readFileSync(join(root, path), "utf8");

/** What a page has of something, by the heading that it stands under; two under one heading are an error. */
const byHeading = (page: string, pattern: RegExp): ReadonlyMap<string, string> => {
  const found = new Map<string, string>();
  for (const section of page.split(/^#{1,6} /m)) {
    const heading = section.split("\n", 1)[0] ?? "";
    for (const [, text = ""] of section.matchAll(pattern)) {
      if (found.has(heading)) throw new Error(`Two under one heading: ${heading}`);
      found.set(heading, text);
    }
  }
  return found;
};

export const diagramsOf = (page: string): ReadonlyMap<string, string> =>
  byHeading(page, /^```mermaid\n([^]*?)\n```$/gm);

export const tablesOf = (page: string): ReadonlyMap<string, string> =>
  byHeading(page, /^((?:\|.*\|\n)*\|.*\|)$/gm);

/** The rows below the head, cell by cell. */
export const rowsOf = (table: string): readonly (readonly string[])[] =>
  table
    .split("\n")
    .slice(2)
    .map((line) =>
      line
        .slice(1, -1)
        .split("|")
        .map((cell) => cell.trim()),
    );
