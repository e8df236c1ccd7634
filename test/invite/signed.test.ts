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

  const deep = `${'{"a":'.repeat(5_000)}1${"}".repeat(5_000)}`;

  test.each([
    ["a number without end", "1e999"],
    ["one inside", '{"a":[{"b":-1e999}]}'],
    ["an object nested 5,000 deep", deep],
    ["a list nested 5,000 deep", `${"[".repeat(5_000)}${"]".repeat(5_000)}`],
    ["half a surrogate pair", '"\\ud800"'],
    ["half a surrogate pair as a name", '{"\\udfff":1}'],
  ])("what JSON.parse reads and nobody can sign: %s", (_, text) => {
    for (const at of ["more", "unsigned", "signatures"]) {
      const json = JSON.parse(`{"${at}":${at === "signatures" ? `{"id.example":${text}}` : text}}`) as object;
      expect(codeOf(parseSigned({ ...signed, ...json }))).toBe("NotProven");
    }
  });

  test.each(["1.5", "1e20", "9007199254740993", "-0"])("the number %s may be signed in old rooms", (text) => {
    const json = JSON.parse(`{"more":${text}}`) as object;
    expect(codeOf(parseSigned({ ...signed, ...json }))).toBeUndefined();
  });
});
