import { expect, test } from "vitest";
import { runExample } from "./run-example.js";

test("ten lines wire the library in and make one invite", async () => {
  const { code, stdout, stderr } = await runExample("ten-lines.ts");
  expect(code, stderr).toBe(0);
  expect(stdout).toBe("Right ThirdPartyInvite\n");
});
