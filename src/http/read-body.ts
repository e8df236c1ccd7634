import { type Either, tryCatch } from "fp-ts/lib/Either.js";
import { type NotStrictJson, type NumberSpelling, parseStrict } from "../matrix/strict-json.js";
import { decodeUtf8 } from "../matrix/utf8.js";

/** What came of reading a body that somebody else sends. */
export type ReadBody =
  | { readonly _tag: "Body"; readonly bytes: Uint8Array }
  | { readonly _tag: "TooLarge" }
  | { readonly _tag: "TimedOut" }
  /** It broke off, or somebody else is reading it. */
  | { readonly _tag: "Broken" };

export interface BodyLimits {
  /** Decompressed, where the runtime decompresses. */
  readonly maxBytes: number;
  /** For all of it, however slowly it drips. */
  readonly timeoutMs: number;
}

/** What a timer can wait; one that is asked for more goes off at once. */
export const longestMs = 2 ** 31 - 1;

/** The same bytes with room for `needed`, at least twice as much as before so that not each chunk copies all. */
const withRoomFor = (bytes: Uint8Array, needed: number): Uint8Array => {
  if (needed <= bytes.length) return bytes;
  const larger = new Uint8Array(Math.max(needed, 2 * bytes.length));
  larger.set(bytes);
  return larger;
};

/**
 * All bytes, in one buffer: a list of chunks would cost some hundred bytes for each of them, and whoever sends may send
 * one byte at a time.
 */
const readAll = async (
  reader: ReadableStreamDefaultReader<Uint8Array>,
  maxBytes: number,
): Promise<ReadBody> => {
  let bytes: Uint8Array = new Uint8Array();
  let length = 0;
  try {
    for (;;) {
      const read = await reader.read();
      if (read.done) return { _tag: "Body", bytes: bytes.subarray(0, length) };
      const needed = length + read.value.length;
      if (!(needed <= maxBytes)) return { _tag: "TooLarge" };
      bytes = withRoomFor(bytes, needed);
      bytes.set(read.value, length);
      length = needed;
    }
  } catch {
    return { _tag: "Broken" };
  }
};

/** Reads a body, never more of it than is allowed, and lets go of the rest. Never rejects. */
export const readBody = async (
  body: ReadableStream<Uint8Array> | null,
  { maxBytes, timeoutMs }: BodyLimits,
): Promise<ReadBody> => {
  if (body === null) return { _tag: "Body", bytes: new Uint8Array() };
  if (body.locked) return { _tag: "Broken" };
  const reader = body.getReader();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<ReadBody>((resolve) => {
    timer = setTimeout(resolve, Math.min(timeoutMs, longestMs), { _tag: "TimedOut" });
  });
  // One race for the whole: one for each chunk would leave something behind each time.
  const read = await Promise.race([readAll(reader, maxBytes), late]);
  clearTimeout(timer);
  // Nobody waits for the other side to hear that the rest is not wanted.
  if (read._tag === "TooLarge" || read._tag === "TimedOut") void reader.cancel().catch(() => undefined);
  return read;
};

const byteOrderMark = [0xef, 0xbb, 0xbf];

const withoutMark = (bytes: Uint8Array): Uint8Array =>
  byteOrderMark.every((byte, at) => bytes[at] === byte) ? bytes.subarray(3) : bytes;

/** The JSON in a body. A byte order mark before it is passed over: some servers write one, and it is no part of the JSON. */
export const parseBody = (bytes: Uint8Array, numbers: NumberSpelling): Either<NotStrictJson, unknown> =>
  parseStrict(withoutMark(bytes), numbers);

/** The same as `JSON.parse` reads it, with values that are canonical in no event. */
export const parseLoosely = (bytes: Uint8Array): Either<NotStrictJson, unknown> =>
  tryCatch(
    (): unknown => JSON.parse(decodeUtf8(withoutMark(bytes)) ?? ""),
    () => ({ _tag: "NotStrictJson", reason: "not JSON", at: 0 }),
  );
