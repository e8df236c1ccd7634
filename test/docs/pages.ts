import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join, resolve, sep } from "node:path";

const root = resolve(import.meta.dirname, "../..");

export const read = (path: string): string => readFileSync(join(root, path), "utf8");

export const isThere = (path: string): boolean => existsSync(join(root, path));

/** Without what an example has installed. */
export const filesIn = (folder: string): readonly string[] =>
  readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((found) => found.isFile())
    .map(({ parentPath, name }) => join(parentPath, name).slice(root.length + 1))
    .filter((path) => !path.split(sep).includes("node_modules"));

/** Every page: those at the top, and all below docs. */
export const pages: readonly string[] = [...readdirSync(root), ...filesIn("docs")].filter((path) =>
  path.endsWith(".md"),
);

/** The pages that are read in order, with code to be typed. */
export const guides: readonly string[] = pages.filter((path) =>
  /^docs\/(tutorial|how-to\/[^/]+)\.md$/.test(path),
);

const fence = /^(`{3,})(\w*)[^\n]*\n([^]*?)^\1$/gm;

/** A fenced block of a page. */
export interface Block {
  readonly language: string;
  readonly lines: string;
}

export const blocksOf = (text: string): readonly Block[] =>
  [...text.matchAll(fence)].map(([, , language = "", lines = ""]) => ({
    language,
    lines: lines.replace(/\n$/, ""),
  }));

export const isCode = ({ language }: Block): boolean =>
  /^([cm]?[jt]sx?|javascript|typescript)$/i.test(language);

/** The text between the fenced blocks. */
export const proseOf = (text: string): string => text.replaceAll(fence, "");

/** Where the links and images of a page lead. */
export const linksOf = (text: string): readonly string[] => {
  const prose = proseOf(text).replaceAll(/`[^`\n]*`/g, "code");
  const patterns = [
    /\]\(<?([^)\s>]+)>?(?:\s+"[^"]*")?\)/g,
    /^\[[^\]]+\]:\s*(\S+)/gm,
    /(?:href|src)="([^"]+)"/g,
  ];
  return patterns.flatMap((pattern) => [...prose.matchAll(pattern)].map(([, target = ""]) => target));
};

/** A heading as GitHub names its anchor. */
export const slugOf = (heading: string): string =>
  heading
    .replaceAll(/!?\[([^\]]*)\]\([^)]*\)/g, "$1")
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{M}\p{N}\p{Pc} -]/gu, "")
    .replaceAll(" ", "-");

/** The places of a page that a link may name. */
export const anchorsOf = (text: string): ReadonlySet<string> => {
  const prose = proseOf(text);
  const anchors = new Set([...prose.matchAll(/<a (?:id|name)="([^"]+)"/g)].map(([, id = ""]) => id));
  const counts = new Map<string, number>();
  for (const [, heading = ""] of prose.matchAll(/^#{1,6} +(.*?)(?: +#+)?$/gm)) {
    const slug = slugOf(heading);
    const count = counts.get(slug) ?? 0;
    counts.set(slug, count + 1);
    anchors.add(count === 0 ? slug : `${slug}-${count}`);
  }
  return anchors;
};
