import { describe, expect, test } from "vitest";
import { parseSigned } from "../../src/invite/signed.js";
import { alice, bob, codeOf, leftOf, rightOf, signed, token } from "./room.js";

test("the user and the token are read, all of it is kept", () => {
  const more = { ...signed, sender: alice, more: [{}] };
  const parsed = rightOf(parseSigned(more));
  expect(parsed).toEqual({ mxid: bob, token, json: more });
  expect(parsed.json).toBe(more);
});

describe("what is none", () => {
  test.each([undefined, null, "x", 7, [], [signed]])("%j is no object", (value) => {
    expect(leftOf(parseSigned(value))).toMatchObject({
      code: "NoSigned",
      errcode: "M_FORBIDDEN",
      status: 403,
    });
  });

  test.each([undefined, null, 7, "", "bob", "!x:y", {}, "@x", `@${"b".repeat(300)}:y`])("mxid %j", (mxid) => {
    expect(codeOf(parseSigned({ ...signed, mxid }))).toBe("NoMxidOrToken");
  });

  test.each([undefined, null, 7, "", {}, "x".repeat(256)])("token %j", (value) => {
    expect(codeOf(parseSigned({ ...signed, token: value }))).toBe("NoMxidOrToken");
  });

  test("a token of 255 characters is one still", () => {
    expect(codeOf(parseSigned({ ...signed, token: "x".repeat(255) }))).toBeUndefined();
  });

  test.each([undefined, null, 7, "", []])("signatures %j", (signatures) => {
    expect(codeOf(parseSigned({ ...signed, signatures }))).toBe("NotProven");
  });

  test("inherited members are none", () => {
    expect(codeOf(parseSigned(Object.create(signed)))).toBe("NoMxidOrToken");
  });
});
