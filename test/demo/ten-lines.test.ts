import { expect, test } from "vitest";
import { runExample } from "./run-example.js";

test("ten lines wire the library in and make one invite", { timeout: 30_000 }, async () => {
  const { code, stdout, stderr } = await runExample("ten-lines.ts");
  expect(code, stderr).toBe(0);
  expect(stdout).toContain("_tag: 'ThirdPartyInvite'");
  expect(stdout).toContain("type: 'm.room.third_party_invite'");
  expect(stdout).not.toContain("zoe@mail.example");
});
