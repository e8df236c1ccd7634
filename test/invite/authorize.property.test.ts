import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Verdict, authorize } from "../../src/invite/authorize.js";
import { decodeBase64, encodeBase64 } from "../../src/matrix/base64.js";
import type { JsonObject } from "../../src/matrix/json.js";
import { nodeCrypto } from "../../src/node/crypto.js";
import { portableCrypto } from "../../src/portable/crypto.js";
import { anything, json } from "../matrix/arbitrary-json.js";
import {
  bob,
  counting,
  ephemeralKey,
  longTermKey,
  room,
  roomVersions,
  sign,
  signed,
  strangeKey,
  token,
  written,
} from "./room.js";

const tag = (verdict: Verdict): string => (verdict._tag === "Reject" ? verdict.refusal.code : verdict._tag);

/** What both engines say; they must say the same. */
const judge = (content: JsonObject, value: unknown, version = "10", maxPairs = 64): string => {
  const made = room(version, { invite: content });
  const event = made.redeemed({ signed: value });
  const verdict = tag(authorize(event, made.state, nodeCrypto, { maxPairs }));
  expect(tag(authorize(event, made.state, portableCrypto, { maxPairs }))).toBe(verdict);
  return verdict;
};

const goodText = (value: JsonObject): string => {
  const [block] = Object.values(value["signatures"] as Record<string, Record<string, string>>);
  return Object.values(block ?? {})[0] ?? "";
};

/** A true signature, by a key that no event names. */
const strangeText = goodText(sign({ mxid: bob, token }, strangeKey));

const shuffled = <T>(items: readonly T[]): fc.Arbitrary<readonly T[]> =>
  fc.shuffledSubarray([...items], { minLength: items.length, maxLength: items.length });

/** The same JSON, the members of every object in another order. */
const reordered = (value: unknown, order: number): unknown => {
  if (Array.isArray(value)) return value.map((item: unknown) => reordered(item, order));
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(([key, item]): [string, unknown] => [
    key,
    reordered(item, order),
  ]);
  const at = entries.length === 0 ? 0 : order % entries.length;
  return Object.fromEntries([...entries.slice(at), ...entries.slice(0, at)].reverse());
};

const badText = fc.oneof(
  fc.constantFrom("", "A", "!", "=", "A".repeat(86), "A".repeat(43), "\ud800"),
  fc.string(),
  fc.uint8Array({ minLength: 64, maxLength: 64 }).map((bytes) => encodeBase64(bytes)),
  fc.uint8Array({ minLength: 30, maxLength: 34 }).map((bytes) => encodeBase64(bytes)),
);
const bad = fc.oneof(badText, json, anything);

describe("order never changes the verdict", () => {
  test("of signatures and of keys", () => {
    const bytes = decodeBase64(goodText(signed)) ?? new Uint8Array();
    const flipped = Uint8Array.from(bytes, (byte, i) => (i === 40 ? byte ^ 1 : byte));
    const texts = [goodText(signed), encodeBase64(flipped), strangeText, "!"];
    const keys = [longTermKey, ephemeralKey].map((key): unknown => ({ public_key: written(key) }));
    fc.assert(
      fc.property(
        shuffled(texts),
        shuffled([...keys, null, { public_key: "A" }, { public_key: 7 }]),
        (someTexts, someKeys) => {
          const signatures = { a: Object.fromEntries(someTexts.map((text, i) => [`ed25519:${i}`, text])) };
          expect(judge({ public_keys: someKeys }, { ...signed, signatures })).toBe("Allow");
          expect(
            judge({ public_keys: someKeys.filter((key) => key !== keys[0]) }, { ...signed, signatures }),
          ).toBe("NotProven");
        },
      ),
      { numRuns: 12 },
    );
  });

  test("of the members of objects, in any version", () => {
    fc.assert(
      fc.property(roomVersions, fc.nat(20), fc.nat(20), fc.boolean(), (version, one, other, good) => {
        const value = sign({
          mxid: bob,
          token,
          "10": 1,
          "9": { b: 2, a: [1, { d: 1, c: 2 }] },
          é: "",
          "😀": 1,
        });
        const content = { public_key: written(good ? longTermKey : strangeKey), public_keys: [], x: 1 };
        expect(judge(reordered(content, one) as JsonObject, reordered(value, other), version)).toBe(
          good ? "Allow" : "NotProven",
        );
      }),
      { numRuns: 30 },
    );
  });
});

describe("what is malformed changes nothing", () => {
  test("beside a good signature, or beside a bad one", () => {
    fc.assert(
      fc.property(
        fc.boolean(),
        fc.array(bad, { maxLength: 3 }),
        bad,
        fc.boolean(),
        (good, some, block, first) => {
          const text = good ? goodText(signed) : strangeText;
          const odd = some.map((value, i): [string, unknown] => [`ed25519:odd${i}`, value]);
          const mixed: [string, unknown][] = first
            ? [...odd, ["ed25519:0", text]]
            : [["ed25519:0", text], ...odd];
          const signatures = { ...(first ? { x: block } : {}), s: Object.fromEntries(mixed), z: block };
          const alone = judge({ public_key: written(longTermKey) }, { ...signed, signatures });
          expect(alone).toBe(good ? "Allow" : "NotProven");
        },
      ),
      { numRuns: 50 },
    );
  });

  test("beside a good key", () => {
    fc.assert(
      fc.property(fc.array(bad, { maxLength: 5 }), fc.nat(5), bad, bad, (some, at, single, url) => {
        const good: unknown = { public_key: written(longTermKey), key_validity_url: url };
        const odd = some.map((value, i): unknown => (i % 2 === 0 ? value : { public_key: value }));
        const public_keys = [...odd.slice(0, at), good, ...odd.slice(at)];
        expect(judge({ public_key: single, public_keys }, signed)).toBe("Allow");
      }),
      { numRuns: 50 },
    );
  });
});

describe("one flipped bit and the proof fails", () => {
  const flip = (bytes: Uint8Array, bit: number): Uint8Array =>
    Uint8Array.from(bytes, (byte, i) => (i === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte));

  test("in the signature", () => {
    const bytes = decodeBase64(goodText(signed)) ?? new Uint8Array();
    fc.assert(
      fc.property(fc.nat(511), (bit) => {
        const signatures = { x: { "ed25519:0": encodeBase64(flip(bytes, bit)) } };
        expect(judge({ public_key: written(longTermKey) }, { ...signed, signatures })).toBe("NotProven");
      }),
      { numRuns: 30 },
    );
  });

  test("in the key", () => {
    fc.assert(
      fc.property(fc.nat(255), (bit) => {
        const public_key = encodeBase64(flip(longTermKey.publicKey, bit));
        expect(judge({ public_key }, signed)).toBe("NotProven");
      }),
      { numRuns: 40 },
    );
  });

  test("in what was signed", () => {
    const value = sign({ mxid: bob, token, sender: "@alice:one.example", n: 12_345, l: [true, null, "é"] });
    const { signatures, ...plain } = value;
    const text = JSON.stringify(plain);
    fc.assert(
      fc.property(fc.nat(text.length - 1), fc.nat(6), (at, bit) => {
        const changed =
          text.slice(0, at) + String.fromCharCode(text.charCodeAt(at) ^ (1 << bit)) + text.slice(at + 1);
        let parsed: unknown;
        try {
          parsed = JSON.parse(changed);
        } catch {
          return;
        }
        fc.pre(JSON.stringify(parsed) !== text && typeof parsed === "object" && parsed !== null);
        // Whatever the change hits, nothing that differs from what was signed is allowed.
        expect(judge({ public_key: written(longTermKey) }, { ...parsed, signatures })).not.toBe("Allow");
      }),
      { numRuns: 100 },
    );
  });
});

describe("the budget", () => {
  test("is asked before any verification, whatever the numbers", () => {
    const honest = [longTermKey, ephemeralKey, strangeKey];
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 3 }),
        fc.integer({ min: 1, max: 3 }),
        fc.nat(12),
        (keys, texts, budget) => {
          const public_keys = honest.slice(0, keys).map((key) => ({ public_key: written(key) }));
          const signatures = {
            x: Object.fromEntries(
              honest
                .slice(0, texts)
                .map((key, i) => [`ed25519:${i}`, goodText(sign({ mxid: bob, token }, key))]),
            ),
          };
          const made = room("10", { invite: { public_keys } });
          const engine = counting(portableCrypto);
          const verdict = authorize(
            made.redeemed({ signed: { ...signed, signatures } }),
            made.state,
            engine,
            {
              maxPairs: budget,
            },
          );
          if (keys * texts > budget) {
            expect(verdict).toEqual({ _tag: "TooMuchWork", pairs: keys * texts });
            expect(engine.calls()).toBe(0);
          } else {
            expect(verdict._tag).toBe("Allow");
            expect(engine.calls()).toBeGreaterThan(0);
          }
        },
      ),
      { numRuns: 30 },
    );
  });
});

describe("both engines say the same", () => {
  test("of random keys and signatures, small ones and large ones among them", () => {
    const bytes = (length: number): fc.Arbitrary<Uint8Array> =>
      fc.oneof(
        fc.uint8Array({ minLength: length, maxLength: length }),
        fc.constantFrom(0, 1, 0x7f, 0x80, 0xec, 0xed, 0xff).map((byte) => new Uint8Array(length).fill(byte)),
      );
    fc.assert(
      fc.property(bytes(32), bytes(64), (key, signature) => {
        const signatures = { x: { "ed25519:0": encodeBase64(signature) } };
        expect(judge({ public_key: encodeBase64(key) }, { ...signed, signatures })).toBe("NotProven");
      }),
      { numRuns: 50 },
    );
  });
});
