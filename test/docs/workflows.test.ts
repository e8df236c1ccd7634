import { describe, expect, test } from "vitest";
import { filesIn, read } from "./pages.js";

const workflows = filesIn(".github/workflows");
const steps = /^steps=\((.*)\)$/m.exec(read(".ci/run"))?.[1]?.split(" ") ?? [];

describe.each(workflows)("%s", (path) => {
  const text = read(path);

  test("pins each action by its major version or a hash", () => {
    const actions = [...text.matchAll(/uses: (\S+)/g)].map(([, action = ""]) => action);
    expect(actions.length).toBeGreaterThan(0);
    expect(actions.filter((action) => !/@(?:v\d+|[0-9a-f]{40})$/.test(action))).toEqual([]);
  });

  test("runs .ci/run, and only steps that it has", () => {
    const runs = [...text.matchAll(/\.ci\/run(.*)$/gm)].map(([, names = ""]) => names.trim());
    expect(runs.length).toBeGreaterThan(0);
    const named = runs.flatMap((names) => names.split(" ").filter((name) => name !== ""));
    expect(named.filter((name) => !steps.includes(name))).toEqual([]);
  });

  test("names no host and no secret", () => {
    expect(text).not.toMatch(/https?:|registry\.|secrets\./);
  });
});

test("the release notes are the section of the version in the changelog", () => {
  // As the awk of the workflow finds it: a heading with a day, up to the next heading.
  expect(read("CHANGELOG.md")).toMatch(/^## \d+\.\d+\.\d+ \((?:unreleased|20\d\d-\d\d-\d\d)\)$/m);
});
