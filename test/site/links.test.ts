import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { deflateSync } from "node:zlib";
import { afterEach, expect, test } from "vitest";
import { checkSite } from "../../docs/site/links.js";

const folder = mkdtempSync(join(tmpdir(), "site-"));
afterEach(() => {
  rmSync(folder, { recursive: true });
});

test("a link to no file, to no element and in the navigation is found, and a page that is too long", () => {
  const navigation = [{ path: "index.html" }, { children: [{ path: "gone.html" }] }, { text: "a group" }];
  const files: Readonly<Record<string, string>> = {
    "index.html": [
      `<a href="a/b.html#here">b</a> <a href="a/">a</a> <a href="#top">top</a> <i id="top">A &amp; B</i>`,
      `<a href="https://example.org/x">out</a> <a href="mailto:a@b.example">mail</a> <img src="data:,">`,
      `<a href="a/b.html#there">no such element</a> <a href="a/c.html">no such page</a> <img src="c.png">`,
      `<script>const html = '<a href="in-a-script.html">';</script>`,
    ].join("\n"),
    "a/index.html": `<a href="..">up</a><a href="../index.html#top">up</a><a href="b.html#a%20%26">b</a>`,
    "a/b.html": `<p id="here">x</p><p id="a &amp;">x</p>${"<p>line</p>".repeat(1500)}`,
    "assets/navigation.js": `window.navigationData = "${deflateSync(JSON.stringify(navigation)).toString("base64")}"`,
  };
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  expect(checkSite(folder)).toEqual({
    pages: 3,
    links: 11,
    faults: [
      "index.html: gone.html leads to no file",
      "index.html: a/b.html has no element there",
      "index.html: a/c.html leads to no file",
      "index.html: c.png leads to no file",
      "a/b.html has 1502 lines, more than 1500",
    ],
  });
});
