import { describe, expect, it } from "vitest";
import { entryPoints } from "../generate/entry-points.js";
import { errorsPage } from "../generate/errors-page.js";
import { read } from "./pages.js";

describe("the pages", () => {
  it("the README shows the ten lines that run", () => {
    expect(read("README.md")).toContain(`\`\`\`ts\n${read("docs/examples/ten-lines.ts").trimEnd()}\n\`\`\``);
  });

  it("the README names the two commands", () => {
    expect(read("README.md")).toContain("npm ci && npm run demo");
    expect(read("README.md")).toContain("npm ci && npm test");
  });

  it("docs/reference.md links to every entry point", () => {
    const missing = entryPoints.filter(
      ({ source }) => !read("docs/reference.md").includes(`](../${source})`),
    );
    expect(missing).toEqual([]);
  });

  it("docs/ports.md speaks of every port, and of every field of the configuration", () => {
    const source = read("src/ports.ts");
    const fieldsOf = (name: string): readonly string[] => {
      const body = new RegExp(`export interface ${name} \\{([^}]*)\\}`).exec(source)?.[1] ?? "";
      return [...body.matchAll(/readonly (\w+)\??:/g)].map(([, field]) => field ?? "");
    };
    const expected = [...fieldsOf("Ports"), ...fieldsOf("Config")];
    expect(expected.length).toBeGreaterThan(20);
    expect(expected.filter((field) => !read("docs/ports.md").includes(`\`${field}`))).toEqual([]);
  });
});

it("docs/errors.md is what the code says (npm run generate:errors)", () => {
  expect(read("docs/errors.md")).toBe(errorsPage());
});
