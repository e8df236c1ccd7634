import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { inspectorPage } from "../../docs/inspector/build.js";

const page = await inspectorPage();

const sha256 = (text: string): string => createHash("sha256").update(text).digest("base64");

const only = (pattern: RegExp): string => {
  const [found, ...others] = [...page.matchAll(pattern)];
  expect(others).toEqual([]);
  return found?.[1] ?? "";
};

test("the same sources give the same page", async () => {
  expect(sha256(await inspectorPage())).toBe(sha256(page));
});

test("the policy allows this script and this style, and nothing else from anywhere", () => {
  const policy = only(/http-equiv="Content-Security-Policy" content="([^"]*)"/g);
  const script = only(/<script>([^]*?)<\/script>/g);
  const style = only(/<style>([^]*?)<\/style>/g);
  expect(policy.split("; ")).toEqual([
    "default-src 'none'",
    `script-src 'sha256-${sha256(script)}'`,
    `style-src 'sha256-${sha256(style)}'`,
    "img-src data:",
    "base-uri 'none'",
    "form-action 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ]);
  // It must stand before what it is to govern.
  expect(page.indexOf(policy)).toBeLessThan(page.indexOf("<style>"));
});

test("nothing is loaded from elsewhere", () => {
  expect(page.match(/(?:src|href|action)="(?!data:,")[^"]*"|url\(|@import/g)).toBeNull();
});
