import { dirname } from "node:path";
import { describe, expect, it } from "vitest";
import { read } from "./pages.js";
import { asPrinted, programOf, runSteps, stepsOf } from "./printed.js";

/** Pages whose blocks make one program, and the file that has it. */
const programs = [
  ["docs/tutorial.md", "docs/examples/tutorial/invites.ts"],
  ["docs/how-to/revocation.md", "docs/examples/revocation/revocation.ts"],
  ["docs/how-to/operators.md", "docs/examples/operators/operators.ts"],
  ["docs/how-to/several-workers.md", "docs/examples/several-workers/crash.ts"],
  ["docs/how-to/moving.md", "docs/examples/moving/moving.ts"],
  ["docs/how-to/judge.md", "docs/examples/judge/received.ts"],
  ["docs/how-to/watching.md", "docs/examples/watching/watching.ts"],
] as const;

describe.each(programs)("%s", (page, file) => {
  const steps = stepsOf(page, file);

  it(`shows ${file}, block under block`, () => {
    expect(programOf(steps)).toBe(read(file));
  });

  it("prints what the page says below each block", async () => {
    const printed = await runSteps(dirname(file), steps);
    expect(printed.map((part, index) => asPrinted(steps[index]?.printed ?? "", part))).toEqual(
      steps.map((step) => step.printed),
    );
  });
});

it("what differs from run to run is written as …, which matches one word", () => {
  expect(asPrinted("{ token: '…' }", "{ token: 'a.b' }")).toBe("{ token: '…' }");
  for (const other of ["{ token: 'a', more }", "{ token: '' }", "token: 'a' }"])
    expect(asPrinted("{ token: '…' }", other)).toBe(other);
});
