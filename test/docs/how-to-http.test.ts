import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";

const root = resolve(import.meta.dirname, "../..");
const read = (path: string): string => readFileSync(join(root, path), "utf8");
const page = read("docs/how-to/http.md");
const folder = "docs/examples/http";

/** What stands in place of the host's own, which the page does not show. */
const notShown = ["ports.js"];

describe("docs/how-to/http.md", () => {
  it.each(readdirSync(join(root, folder)).filter((name) => !notShown.includes(name)))(
    "shows %s as it runs",
    (name) => {
      expect(page).toContain(`\`\`\`js\n${read(`${folder}/${name}`).trimEnd()}\n\`\`\`\n`);
    },
  );

  it("shows no other lines of JavaScript", () => {
    const shown = [...page.matchAll(/```[jt]s\n([^]*?)\n```/g)].map(([, lines = ""]) => lines);
    const files = readdirSync(join(root, folder)).map((name) => read(`${folder}/${name}`).trimEnd());
    expect(shown.filter((lines) => !files.includes(lines))).toEqual([]);
    expect(shown).toHaveLength(files.length - notShown.length);
  });

  it("has no dead link", () => {
    const targets = [...page.matchAll(/\]\(([^)\s#]+)\)/g)].map(([, target = ""]) => target);
    expect(targets.length).toBeGreaterThan(0);
    expect(targets.filter((target) => !existsSync(join(root, "docs/how-to", target)))).toEqual([]);
  });
});
