import { expect, test } from "vitest";
import { runExample } from "./run-example.js";

test("the README's first run prints the event of the invite", async () => {
  const { code, stdout, stderr } = await runExample("ten-lines.ts");
  expect(code, stderr).toBe(0);
  expect(stdout).toMatch(/^\{\n {2}type: 'm\.room\.third_party_invite',\n {2}room_id: '![\w-]+',\n/);
  expect(stdout).toMatch(/ {2}state_key: '\S+',\n {2}content: \{\n {4}display_name: 'z\.\.\.@mai\.\.\.',\n/);
});
