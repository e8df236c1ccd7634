import { deflateRawSync } from "node:zlib";
import fc from "fast-check";
import { encodeBase64 } from "matrix-third-party-invites/matrix";
import { describe, expect, test } from "vitest";
import type { Case } from "../../docs/inspector/case.js";
import { caseOf, fragmentOf } from "../../docs/inspector/link.js";

const plain: Case = { version: "10", state: "[]", event: "{}", maxPairs: 64, signers: [], keys: "" };

const packed = (text: string): string => `#case=${encodeBase64(deflateRawSync(text), "urlsafe")}`;
const linked = (value: unknown): string => packed(JSON.stringify(value));

describe("a link", () => {
  test("carries a case as it was written", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          version: fc.constantFrom("", "1", "12"),
          state: fc.string({ unit: "grapheme" }),
          event: fc.string({ unit: "grapheme" }),
          maxPairs: fc.nat(256),
          signers: fc.array(fc.stringMatching(/^[a-z.]{1,9}$/), { maxLength: 5 }),
          keys: fc.string(),
        }),
        async (one) => {
          expect(await caseOf((await fragmentOf(one)) ?? "")).toEqual({ _tag: "Case", case: one });
        },
      ),
      { numRuns: 50 },
    );
  });

  test("is not made of a case that is too large", async () => {
    const noise = Array.from({ length: 60_000 }, (_, i) => Math.sin(i)).join();
    expect(await fragmentOf({ ...plain, state: noise })).toBeUndefined();
  });

  test.each(["", "#", "#case", "#other=1", "#step-room"])("%j is none", async (fragment) => {
    expect(await caseOf(fragment)).toEqual({ _tag: "Nothing" });
  });
});

describe("a stranger's link", () => {
  const broken = { _tag: "Broken", message: expect.any(String) as string };

  test.each([
    ["nothing", "#case="],
    ["no base64", "#case=!"],
    ["the other alphabet", "#case=ab+/"],
    ["nothing deflated", `#case=${encodeBase64(Uint8Array.of(1, 2, 3), "urlsafe")}`],
    ["half of it", linked(plain).slice(0, 30)],
    ["too much", `#case=${"A".repeat(300_000)}`],
    ["a bomb", packed(`{"state":"${"a".repeat(50_000_000)}"}`)],
    ["a text that is too long", linked({ ...plain, state: "a".repeat(200_001) })],
    ["no JSON", packed("{")],
    ["a name twice", packed('{"state":"","event":"","state":""}')],
    [
      "bytes that are no UTF-8",
      `#case=${encodeBase64(deflateRawSync(Uint8Array.of(0x22, 0xff, 0x22)), "urlsafe")}`,
    ],
    ["no object", linked([plain])],
    ["no state", linked({ event: "" })],
    ["a state that is no text", linked({ ...plain, state: [] })],
    ["an unknown version", linked({ ...plain, version: "99" })],
    ["an inherited name for a version", linked({ ...plain, version: "constructor" })],
  ])("that holds %s is refused", async (_, fragment) => {
    expect(await caseOf(fragment)).toEqual(broken);
  });

  test.each([
    [1e9, 256],
    [-1, 64],
    ["64", 64],
    [null, 64],
  ])("cannot ask for the work of %j pairs", async (maxPairs, given) => {
    expect(await caseOf(linked({ ...plain, maxPairs }))).toEqual({
      _tag: "Case",
      case: { ...plain, maxPairs: given },
    });
  });

  test("has signers that are texts, and not many", async () => {
    const signers = [7, null, ...Array.from({ length: 99 }, (_, i) => `s${i}`)];
    const found = await caseOf(linked({ ...plain, signers }));
    expect(found._tag === "Case" && found.case.signers.length).toBe(50);
  });

  test("never rejects, whatever it is", async () => {
    const anything = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.uint8Array().map((bytes) => encodeBase64(bytes, "urlsafe")),
      fc.json().map((text) => packed(text).slice(6)),
    );
    await fc.assert(
      fc.asyncProperty(anything, async (text) => {
        expect(["Case", "Broken"]).toContain((await caseOf(`#case=${text}`))._tag);
      }),
      { numRuns: 300 },
    );
  });
});
