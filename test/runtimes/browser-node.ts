/** What the conformance runner uses of Node, for a browser: `node:util`, `node:zlib` and the global `Buffer`. */

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null;

/** Of plain JSON, which is all that is compared. */
export const isDeepStrictEqual = (one: unknown, other: unknown): boolean => {
  if (!isRecord(one) || !isRecord(other)) return Object.is(one, other);
  const keys = Object.keys(one);
  return (
    Array.isArray(one) === Array.isArray(other) &&
    keys.length === Object.keys(other).length &&
    keys.every((key) => Object.hasOwn(other, key) && isDeepStrictEqual(one[key], other[key]))
  );
};

/** The fixtures are unpacked when the suite is bundled. */
export const gunzipSync = (): never => {
  throw new Error("nothing is compressed here");
};

const hexOf = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

class BytesWithText extends Uint8Array {
  equals(other: Uint8Array): boolean {
    return hexOf(this) === hexOf(other);
  }
  override toString(encoding: "hex" | "utf8" = "utf8"): string {
    return encoding === "hex" ? hexOf(this) : new TextDecoder().decode(this);
  }
}

const bytesOf = (from: string | Uint8Array, encoding?: "hex"): Uint8Array => {
  if (typeof from !== "string") return from;
  if (encoding === undefined) return new TextEncoder().encode(from);
  return Uint8Array.from(from.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
};

const buffer = {
  from: (from: string | Uint8Array, encoding?: "hex"): BytesWithText =>
    new BytesWithText(bytesOf(from, encoding)),
};
export { buffer as Buffer };
