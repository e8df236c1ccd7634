import { describe, expect, it, test } from "vitest";
import { authorisationRulesOf } from "../../src/matrix/specification.js";
import { roomVersionIds } from "../../src/matrix/room-version.js";
import { specification } from "./specification-links.js";
import { filesIn, pages, read } from "../docs/pages.js";

const release = "https://spec.matrix.org/v1.19/";
const anchors: ReadonlySet<string> = new Set(
  read("test/fixtures/specification-anchors.txt").trim().split("\n"),
);
const table = Object.entries(specification);

/** What is generated out of docstrings, or built, is held where it comes from. */
const isWritten = (path: string): boolean => !/^(docs\/api|test\/(package\/api|fixtures))\//.test(path);
/** It puts its links together; what comes out is compared below. */
const hasWholeLinks = (path: string): boolean => path !== "src/matrix/specification.ts";
const sources = ["src", "docs"].flatMap(filesIn).filter((path) => /\.(ts|js|mjs)$/.test(path));
const tests = filesIn("test").filter((path) => /\.(ts|mjs)$/.test(path));
const texts = [...pages, ...sources, ...tests].filter(isWritten);

const linksIn = (text: string): readonly string[] =>
  text.match(/https:\/\/spec\.matrix\.org[^\s)"'`<>\]}]*/g) ?? [];

const unknownLinks = (text: string): readonly string[] => {
  const known = new Set<string>(table.map(([, link]) => link));
  return linksIn(text).filter((link) => !known.has(link));
};

/** Names of standards look the same. */
const codesIn = (text: string): readonly string[] =>
  text.match(/\b(?!(?:UTF|SHA|HMAC|AGPL)-)[A-Z][\dA-Z]+(?:-[\dA-Z]+)+[a-z]?\b|\bspec \u00a7[\d.]*/g) ?? [];

const decisionsIn = (text: string): readonly string[] => text.match(/\bD-\d+\b/g) ?? [];

describe("links into the specification", () => {
  it.each(table)("%s is there", (_name, link) => {
    expect(link.slice(0, release.length)).toBe(release);
    expect(anchors).toContain(link.slice(release.length));
  });

  it("stand once", () => {
    expect(new Set(Object.values(specification)).size).toBe(table.length);
  });

  it.each([...pages, ...sources].filter(isWritten).filter(hasWholeLinks))(
    "those of %s are in the table",
    (path) => {
      expect(unknownLinks(read(path))).toEqual([]);
    },
  );

  it("any other is noticed", () => {
    const text = `[a](${release}appendices/#e-mail) ${release}appendices/ (https://spec.matrix.org/latest/#x).`;
    expect(unknownLinks(text)).toEqual([`${release}appendices/`, "https://spec.matrix.org/latest/#x"]);
  });

  it("every room version has its authorisation rules", () => {
    expect(roomVersionIds.map(authorisationRulesOf)).toEqual(
      roomVersionIds.map((id) => `${release}rooms/v${id}/#authorisation-rules`),
    );
    expect(authorisationRulesOf("org.example.new")).toBe(specification.authorisationRules);
  });
});

describe("codes of requirements", () => {
  it("stand nowhere", () => {
    expect(texts.flatMap((path) => codesIn(read(path)).map((code) => `${path}: ${code}`))).toEqual([]);
  });

  it("are noticed; names of standards and of decisions are none", () => {
    const codes = [["CLI", 16].join("-"), ["AUTH", "MEM", "3P", 7].join("-"), ["AMB", 7].join("-")];
    const section = `spec ${String.fromCodePoint(0xa7)}8.2`;
    expect(codesIn(`${codes.join(", ")}: (${section})`)).toEqual([...codes, section]);
    expect(codesIn("UTF-8, HMAC-SHA-256, AGPL-3.0, X-Matrix, D-12, WWW-Authenticate")).toEqual([]);
  });
});

describe("decisions", () => {
  const page = read("docs/decisions.md");
  const anchored = [...page.matchAll(/<a id="d-(\d+)"><\/a>(?:\*\*)?D-(\d+) /g)];

  test("each has its number and its anchor", () => {
    expect(anchored.length).toBeGreaterThan(80);
    expect(anchored.map(([, anchor]) => anchor)).toEqual(anchored.map(([, , number]) => number));
    expect(page.match(/<a id="d-|^- \*\*D-\d|^\| D-\d/gm)).toHaveLength(anchored.length);
    expect(new Set(anchored.map(([, number]) => number)).size).toBe(anchored.length);
  });

  test("those that are named exist", () => {
    const known = new Set(anchored.map(([, number = ""]) => `D-${number}`));
    const named = texts.filter((path) => path !== "test/matrix/specification.test.ts").map(read);
    expect(named.flatMap(decisionsIn).filter((name) => !known.has(name))).toEqual([]);
  });
});
