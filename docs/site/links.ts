import { readFileSync, readdirSync } from "node:fs";
import { join, posix } from "node:path";
import { inflateSync } from "node:zlib";

/** More lines of text than a page should have. */
export const maxLines = 1500;

export interface Report {
  readonly pages: number;
  readonly links: number;
  /** What is wrong, a sentence each. */
  readonly faults: readonly string[];
}

const unescaped = (text: string): string =>
  text.replaceAll("&quot;", '"').replaceAll("&#39;", "'").replaceAll("&lt;", "<").replaceAll("&amp;", "&");

const withoutScripts = (html: string): string => html.replaceAll(/<(script|style)[^>]*>[^]*?<\/\1>/g, "");

/** Where the elements of a page lead, scripts and images included. */
const linksOf = (html: string): readonly string[] =>
  [...html.matchAll(/<[a-z][^>]*\s(?:href|src)="([^"]*)"/g)].map(([, link = ""]) => unescaped(link));

const idsOf = (html: string): ReadonlySet<string> =>
  new Set([...html.matchAll(/<[a-z][^>]*\s(?:id|name)="([^"]*)"/g)].map(([, id = ""]) => unescaped(id)));

/** The lines that a reader sees, as far as the markup says. */
const linesOf = (html: string): number =>
  html
    .replaceAll("\n", " ")
    .replaceAll(/<br\s*\/?>|<\/(?:p|li|h[1-6]|tr|div|section|pre|dd)>/g, "\n")
    .replaceAll(/<[^>]*>/g, "")
    .split("\n")
    .filter((line) => line.trim() !== "").length;

interface NavigationEntry {
  readonly path?: string;
  readonly children?: readonly NavigationEntry[];
}

/** The links of the navigation, which a script of each page unpacks: base64 of deflated JSON. */
export const navigationLinks = (script: string): readonly string[] => {
  const packed = Buffer.from(/"([^"]*)"/.exec(script)?.[1] ?? "", "base64");
  const inOrder = (entries: readonly NavigationEntry[]): readonly string[] =>
    entries.flatMap(({ path, children = [] }) => [...(path === undefined ? [] : [path]), ...inOrder(children)]);
  return inOrder(JSON.parse(inflateSync(packed).toString("utf8")) as readonly NavigationEntry[]);
};

/** Follows each link of a site to a file of it, and to an element of that page. */
export const checkSite = (folder: string): Report => {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((found) => found.isFile())
    .map(({ parentPath, name }) => join(parentPath, name).slice(folder.length + 1));
  const isThere = new Set(files);
  const pages = new Map(
    files
      .filter((path) => path.endsWith(".html"))
      .map((path) => [path, withoutScripts(readFileSync(join(folder, path), "utf8"))]),
  );
  const ids = new Map([...pages].map(([path, html]) => [path, idsOf(html)]));

  const faultOf = (page: string, link: string): string | undefined => {
    const [path = "", anchor = ""] = link.split("#").map(decodeURIComponent);
    const named = path === "" ? page : posix.join(posix.dirname(page), path);
    const target = /(?:^|\/)\.?$/.test(named) ? posix.join(named, "index.html") : named;
    if (!isThere.has(target)) return `${page}: ${link} leads to no file`;
    const hasAnchor = anchor === "" || !pages.has(target) || ids.get(target)?.has(anchor) === true;
    return hasAnchor ? undefined : `${page}: ${target} has no element ${anchor}`;
  };

  const navigation = isThere.has("assets/navigation.js")
    ? navigationLinks(readFileSync(join(folder, "assets/navigation.js"), "utf8"))
    : [];
  const links = [
    ...navigation.map((link) => ["index.html", link] as const),
    ...[...pages].flatMap(([page, html]) => linksOf(html).map((link) => [page, link] as const)),
  ].filter(([, link]) => !/^(?:[a-z]+:|\/\/)/.test(link));
  const tooLong = [...pages]
    .filter(([, html]) => linesOf(html) > maxLines)
    .map(([page, html]) => `${page} has ${linesOf(html)} lines, more than ${maxLines}`);
  const dead = new Set(links.flatMap(([page, link]) => faultOf(page, link) ?? []));
  return { pages: pages.size, links: links.length, faults: [...dead, ...tooLong] };
};
