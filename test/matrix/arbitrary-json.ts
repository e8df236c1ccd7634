import fc from "fast-check";

/** Well-formed text, astral characters and those around the surrogates among it. */
export const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 8 }),
  fc.constantFrom("", "a", "\u{e000}", "\u{ffff}", "\u{10000}", "\u{1f600}", "\u{d7ff}", "\u{2028}"),
);

const key = fc.oneof(
  text,
  fc.constantFrom("__proto__", "constructor", "toJSON", "toString", "length", "signatures", "unsigned"),
  fc.constantFrom("0", "9", "10", "01", "4294967295"),
);

const scalar = fc.oneof(text, fc.maxSafeInteger(), fc.boolean(), fc.constant(null));

/** The same JSON twice, the members of every object in another order. */
interface Twice {
  readonly one: unknown;
  readonly other: unknown;
}

const { object, value } = fc.letrec<{ object: Twice; value: Twice }>((tie) => ({
  // Object.fromEntries defines own members, `__proto__` too.
  object: fc
    .uniqueArray(fc.tuple(key, tie("value")), { selector: ([name]) => name, maxLength: 6 })
    .chain((entries) =>
      fc
        .shuffledSubarray(entries, { minLength: entries.length, maxLength: entries.length })
        .map((shuffled) => ({
          one: Object.fromEntries(entries.map(([name, { one }]) => [name, one])),
          other: Object.fromEntries(shuffled.map(([name, { other }]) => [name, other])),
        })),
    ),
  value: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    scalar.map((one) => ({ one, other: one })),
    fc.array(tie("value"), { maxLength: 4 }).map((items) => ({
      one: items.map(({ one }) => one),
      other: items.map(({ other }) => other),
    })),
    tie("object"),
  ),
}));

export const jsonTwice = value;
export const json = value.map(({ one }) => one);

const isObject = (one: unknown): one is Readonly<Record<string, unknown>> =>
  typeof one === "object" && one !== null;

export const jsonObject = object.map(({ one }) => (isObject(one) ? one : {}));

/** Canonical JSON as one would write it down first: keys sorted by their bytes in UTF-8. */
export const plainCanonical = (one: unknown): string => {
  if (Array.isArray(one)) return `[${one.map(plainCanonical).join(",")}]`;
  if (!isObject(one)) return JSON.stringify(one);
  const members = Object.keys(one)
    .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    .map((name) => `${JSON.stringify(name)}:${plainCanonical(one[name])}`);
  return `{${members.join(",")}}`;
};

/** Whatever JavaScript can hand over, not only JSON. */
export const anything = fc.anything({
  withBigInt: true,
  withBoxedValues: true,
  withDate: true,
  withMap: true,
  withNullPrototype: true,
  withObjectString: true,
  withSet: true,
  withSparseArray: true,
  withTypedArray: true,
  stringUnit: "binary",
});
