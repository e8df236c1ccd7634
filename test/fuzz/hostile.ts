/** Values that nobody honest sends, for whatever takes values that nobody has checked. */
import fc from "fast-check";
import { parseStrict } from "matrix-third-party-invites/judge";
import { isJsonObject } from "matrix-third-party-invites/matrix";
import { anything, json } from "../matrix/arbitrary-json.js";

const nested = (depth: number): unknown => {
  let value: unknown = 1;
  for (let i = 0; i < depth; i += 1) value = i % 2 === 0 ? [value] : { a: value };
  return value;
};

/** A number as only the strict reader keeps it. */
const writtenNumber = ((): unknown => {
  const read = parseStrict("1.0", "any");
  return read._tag === "Right" ? read.right : undefined;
})();

const hugeTexts = ["x", " ", "@", "9", "A", "\ud800", "ß"].map((unit) => unit.repeat(200_000));

export const hostile: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 9, arbitrary: json },
  { weight: 9, arbitrary: fc.jsonValue().map((value): unknown => value) },
  { weight: 9, arbitrary: anything },
  {
    weight: 6,
    arbitrary: fc.constantFrom<unknown>(
      JSON.parse('{"__proto__":{"mxid":"@a:b"},"constructor":null}'),
      Object.create(null),
      Number.NaN,
      -0,
      1e308,
      1.5,
      2 ** 53,
      "\ud800",
      "@b:\u0000",
      writtenNumber,
      { a: [writtenNumber] },
    ),
  },
  // Each costs as much as a thousand others.
  { weight: 1, arbitrary: fc.constantFrom<unknown>(nested(20_000), nested(600), ...hugeTexts) },
);

/** An object like the honest one, with some members replaced or gone, at any depth that matters. */
export const mutated = (honest: unknown): fc.Arbitrary<unknown> =>
  isJsonObject(honest)
    ? fc
        .tuple(
          ...Object.entries(honest).map(([key, value]) =>
            fc
              .oneof(
                { weight: 6, arbitrary: fc.constant(value) },
                { weight: 2, arbitrary: mutated(value) },
                { weight: 1, arbitrary: hostile },
              )
              .map((changed): [string, unknown] => [key, changed]),
          ),
          fc.option(hostile.map((value): [string, unknown] => ["__proto__", value])),
        )
        .map((entries) => Object.fromEntries(entries.filter((entry) => entry !== null)))
    : Array.isArray(honest)
      ? fc.array(fc.oneof(hostile, ...honest.map(mutated)), { maxLength: 4 }).map((items): unknown => items)
      : hostile;

export const inputs = (honest: unknown): fc.Arbitrary<unknown> =>
  fc.oneof({ weight: 1, arbitrary: hostile }, { weight: 4, arbitrary: mutated(honest) });

export const objects = (honest: object): fc.Arbitrary<object> =>
  inputs(honest).filter((value) => typeof value === "object" && value !== null);

let armed = false;

/** Does something while traps throw; before and after they are plain values, which whoever shows them may look at. */
export const amongTraps = <A>(act: () => A): A => {
  armed = true;
  try {
    return act();
  } finally {
    armed = false;
  }
};

const trap = (): void => {
  if (armed) throw new Error("A trap was sprung.");
};

const withGetter = (honest: object, key: string): object =>
  Object.defineProperty({ ...honest }, key, { get: trap, enumerable: true });

/** Every operation on it throws. */
const springing = (target: object): object => {
  // Each look for a handler of an operation springs the trap itself.
  const handlers = Object.defineProperties(
    {},
    Object.fromEntries(Object.getOwnPropertyNames(Reflect).map((name) => [name, { get: trap }])),
  );
  return new Proxy(target, handlers);
};

/** The honest object with a getter that throws, or a proxy, at some depth or in its place. */
export const trapped = (honest: unknown): fc.Arbitrary<unknown> => {
  const proxies = fc.constantFrom<unknown>(springing({}), springing([]));
  if (!isJsonObject(honest)) return proxies;
  const inside = Object.keys(honest).map((key) =>
    fc.oneof(
      fc.constant(withGetter(honest, key)),
      trapped(honest[key]).map((inner) => ({ ...honest, [key]: inner })),
    ),
  );
  return fc.oneof(proxies, fc.constant(withGetter(honest, "__proto__")), ...inside);
};

/** Texts, with halves of surrogate pairs and huge ones among them. */
export const hostileTexts = (...honest: readonly string[]): fc.Arbitrary<string> =>
  fc.oneof(
    { weight: 6, arbitrary: fc.string({ unit: "binary" }) },
    { weight: 6, arbitrary: fc.constantFrom("", "\ud800", "a\udc00b", "\0", "__proto__", ...honest) },
    {
      weight: 6,
      arbitrary: fc
        .tuple(fc.constantFrom("", ...honest), fc.nat(40), fc.string({ unit: "binary", maxLength: 3 }))
        .map(([text, at, more]) => text.slice(0, at) + more + text.slice(at)),
    },
    // Halves of pairs anywhere.
    { weight: 2, arbitrary: fc.array(fc.nat(0xffff)).map((units) => String.fromCharCode(...units)) },
    { weight: 1, arbitrary: fc.constantFrom(...hugeTexts) },
  );

/** Bytes of any number, and of this one. */
export const hostileBytes = (...lengths: readonly number[]): fc.Arbitrary<Uint8Array> =>
  fc.oneof(
    fc.uint8Array({ maxLength: 100 }),
    ...lengths.flatMap((length) => [
      fc.uint8Array({ minLength: length, maxLength: length }),
      fc.constantFrom(0, 1, 0x7f, 0xec, 0xff).map((byte) => new Uint8Array(length).fill(byte)),
      // A view into something larger.
      fc.constant(Buffer.concat([Buffer.alloc(3, 0xff), Buffer.alloc(length, 7)]).subarray(3)),
    ]),
  );

export const hostileNumbers: fc.Arbitrary<number> = fc.oneof(
  fc.integer(),
  fc.double(),
  fc.constantFrom(0, -0, -1, 1, Number.NaN, Infinity, -Infinity, 2 ** 53, 1e308),
);
