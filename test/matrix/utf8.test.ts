import fc from "fast-check";
import { expect, it } from "vitest";
import { encodeUtf8, utf8Length } from "../../src/matrix/utf8.js";
import { text } from "./arbitrary-json.js";

it.each([
  ["", 0],
  ["a\u{7f}", 2],
  ["\u{80}\u{7ff}", 4],
  ["\u{800}\u{ffff}", 6],
  ["\u{d7ff}\u{e000}", 6],
  ["\u{10000}\u{10ffff}", 8],
])("%j has %i bytes", (some, length) => {
  expect(utf8Length(some)).toBe(length);
  expect(encodeUtf8(some)).toHaveLength(length);
});

it("counts and writes the bytes that Node writes", () => {
  fc.assert(
    fc.property(text, (some) => {
      expect(utf8Length(some)).toBe(Buffer.byteLength(some));
      expect(encodeUtf8(some)).toEqual(new Uint8Array(Buffer.from(some)));
    }),
  );
});
