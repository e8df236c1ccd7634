import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { hasMember, isJsonObject, member, stringMember, withoutMembers } from "../../src/matrix/json.js";
import { WrittenNumber } from "../../src/matrix/written-number.js";
import { anything, jsonObject } from "./arbitrary-json.js";

const parse = (text: string): unknown => JSON.parse(text);

it.each([
  ["{}", true],
  ['{"__proto__":null}', true],
  ["[]", false],
  ["null", false],
  ['"text"', false],
  ["1", false],
  ["true", false],
])("%s is an object: %s", (text, expected) => {
  expect(isJsonObject(parse(text))).toBe(expected);
});

it("a number that was kept as it was written is no object", () => {
  expect(isJsonObject(new WrittenNumber("1.0"))).toBe(false);
});

describe("a member is an own one", () => {
  it.each([
    ['{"a":1}', "a", 1],
    ['{"a":null}', "a", null],
    ['{"__proto__":1}', "__proto__", 1],
    ['{"constructor":2}', "constructor", 2],
  ])("%s has %s", (text, key, value) => {
    expect(hasMember(parse(text), key)).toBe(true);
    expect(member(parse(text), key)).toBe(value);
  });

  it.each([
    ["{}", "a"],
    ["{}", "__proto__"],
    ["{}", "constructor"],
    ["{}", "toString"],
    ["[1]", "0"],
    ["[1]", "length"],
    ['"text"', "length"],
    ["null", "a"],
  ])("%s has no %s", (text, key) => {
    expect(hasMember(parse(text), key)).toBe(false);
    expect(member(parse(text), key)).toBeUndefined();
  });
});

it("a string member is a string, not what could become one", () => {
  expect(stringMember({ a: "x" }, "a")).toBe("x");
  for (const value of [1, null, ["x"], { toString: "x" }, undefined])
    expect(stringMember({ a: value }, "a")).toBeUndefined();
});

it("leaves out the members named, keeps every other, an own __proto__ too, and changes nothing in place", () => {
  const object = JSON.parse('{"a":1,"__proto__":{"b":2},"signatures":{},"unsigned":3}') as Record<
    string,
    unknown
  >;
  const before = JSON.stringify(object);
  expect(JSON.stringify(withoutMembers(object, ["signatures", "unsigned", "absent"]))).toBe(
    '{"a":1,"__proto__":{"b":2}}',
  );
  expect(JSON.stringify(withoutMembers(object, ["__proto__"]))).toBe('{"a":1,"signatures":{},"unsigned":3}');
  expect(JSON.stringify(object)).toBe(before);
});

it("leaves out exactly those of any object", () => {
  fc.assert(
    fc.property(jsonObject, fc.string(), (object, name) => {
      const names = [name, ...Object.keys(object).slice(0, 2)];
      expect(Object.keys(withoutMembers(object, names))).toEqual(
        Object.keys(object).filter((key) => !names.includes(key)),
      );
    }),
  );
});

it("never throws", () => {
  fc.assert(
    fc.property(anything, fc.string(), (value, key) => {
      expect(hasMember(value, key) || member(value, key) === undefined).toBe(true);
      expect(["string", "undefined"]).toContain(typeof stringMember(value, key));
    }),
  );
});
