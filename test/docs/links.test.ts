import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { anchorsOf, isThere, linksOf, pages, proseOf, read, slugOf } from "./pages.js";

const anchors = new Map<string, ReadonlySet<string>>();

const anchorsAt = (page: string): ReadonlySet<string> => {
  const found = anchors.get(page) ?? anchorsOf(read(page));
  anchors.set(page, found);
  return found;
};

/** Why a link leads nowhere; `undefined` where it leads somewhere. */
const fault = (page: string, text: string, link: string): string | undefined => {
  if (/^(https?:|mailto:)/.test(link)) return undefined;
  const [path = "", anchor] = link.split("#");
  const target = path === "" ? page : join(dirname(page), decodeURIComponent(path));
  if (!isThere(target)) return `${link}: there is no ${target}`;
  if (anchor === undefined) return undefined;
  if (!target.endsWith(".md")) return `${link}: only pages have anchors`;
  const found = target === page ? anchorsOf(text) : anchorsAt(target);
  return found.has(anchor) ? undefined : `${link}: ${target} has no such heading`;
};

const faults = (page: string, text = read(page)): readonly string[] =>
  linksOf(text).flatMap((link) => fault(page, text, link) ?? []);

describe("links", () => {
  it("the pages are found", () => {
    expect(pages).toEqual(
      expect.arrayContaining(["README.md", "CHANGELOG.md", "docs/ports.md", "docs/how-to/http.md"]),
    );
  });

  it.each(pages)("every link of %s leads somewhere", (page) => {
    expect(faults(page)).toEqual([]);
  });

  it("dead ones are noticed, whatever their form", () => {
    const text = [
      "# Two words",
      "[a](nowhere.md) [b](#two-words) [c](#three) ![d](none.svg) [e](docs/ports.md#nothing)",
      "[f](https://example.org/#any) [g](docs/ports.md#config) [h]: see\n[h]: gone.md",
      "```md\n[i](in-a-block.md)\n```\n`[j](in-code.md)`",
    ].join("\n");
    expect(linksOf(text)).toHaveLength(8);
    expect(faults("README.md", text).map((one) => one.replace(/:.*/, ""))).toEqual([
      "nowhere.md",
      "#three",
      "none.svg",
      "docs/ports.md#nothing",
      "gone.md",
    ]);
  });

  it("anchors are named as GitHub names them", () => {
    expect(slugOf("`events.append({ roomId, events })` (all)")).toBe("eventsappend-roomid-events--all");
    expect(slugOf("What's [a link](x.md), snake_case & ß?")).toBe("whats-a-link-snake_case--ß");
    expect([...anchorsOf('# A\n## A\n<a id="b"></a>\n```\n# no\n```\n')]).toEqual(["b", "a", "a-1"]);
  });
});

describe("commands", () => {
  const scripts = Object.keys(
    (JSON.parse(read("package.json")) as { readonly scripts: Readonly<Record<string, string>> }).scripts,
  );

  const named = (text: string): readonly string[] =>
    [...text.matchAll(/npm run (?:--silent |-s )?([\w:.-]+)/g)].map(([, name = ""]) =>
      name.replace(/[.:]$/, ""),
    );

  it.each(pages)("every npm run of %s is in package.json", (page) => {
    expect(named(read(page)).filter((name) => !scripts.includes(name))).toEqual([]);
  });

  it("the pages name some", () => {
    expect(pages.flatMap((page) => named(read(page))).length).toBeGreaterThan(5);
    expect(named("npm run a:b, `npm run --silent c`. npm run d.")).toEqual(["a:b", "c", "d"]);
    expect(proseOf("a\n```sh\nnpm run x\n```\nb")).toBe("a\n\nb");
  });
});
