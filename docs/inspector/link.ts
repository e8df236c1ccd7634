import { parseStrict, roomVersion } from "matrix-third-party-invites/judge";
import {
  decodeBase64,
  encodeBase64,
  isJsonObject,
  member,
  stringMember,
} from "matrix-third-party-invites/matrix";
import { type Case, defaultMaxPairs, maxTextLength, mostPairs } from "./case.js";

/*
 * A link carries a whole case behind its #, which no browser sends to a server: the JSON of the case, deflated, in
 * URL-safe base64. Whoever made it is a stranger, so every step has its bound.
 */

const prefix = "#case=";
const maxFragmentLength = 200_000;
const maxCaseBytes = 4 * maxTextLength;
const maxSigners = 50;

interface Transform {
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array<ArrayBuffer>>;
}

/** All that comes out, or nothing where that is too much or the transform chokes. */
const through = async (
  bytes: Uint8Array<ArrayBuffer>,
  { readable, writable }: Transform,
  maxBytes: number,
): Promise<Uint8Array | undefined> => {
  const writer = writable.getWriter();
  // What goes wrong in writing shows in reading.
  const written = writer
    .write(bytes)
    .then(() => writer.close())
    .catch(() => undefined);
  const reader = readable.getReader();
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      length += next.value.length;
      if (length > maxBytes) {
        await reader.cancel();
        return undefined;
      }
      chunks.push(next.value);
    }
    await written;
  } catch {
    return undefined;
  }
  const whole = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
};

/** The fragment for a case, or nothing where it is too large for a link. */
export const fragmentOf = async (one: Case): Promise<string | undefined> => {
  const bytes = new TextEncoder().encode(JSON.stringify(one));
  const packed = await through(bytes, new CompressionStream("deflate-raw"), maxFragmentLength);
  const text = packed === undefined ? "" : prefix + encodeBase64(packed, "urlsafe");
  return text === "" || text.length > maxFragmentLength ? undefined : text;
};

type Linked =
  | { readonly _tag: "Nothing" }
  | { readonly _tag: "Case"; readonly case: Case }
  | { readonly _tag: "Broken"; readonly message: string };

const broken = (message: string): Linked => ({ _tag: "Broken", message });
const unreadable = broken("This link holds no case that can be read.");

/** Texts of a list, as far as they are such. */
const textsIn = (value: unknown): readonly string[] =>
  Array.isArray(value)
    ? value.filter((one: unknown): one is string => typeof one === "string").slice(0, maxSigners)
    : [];

const caseIn = (value: unknown): Linked => {
  const state = stringMember(value, "state");
  const event = stringMember(value, "event");
  const version = stringMember(value, "version") ?? "";
  if (!isJsonObject(value) || state === undefined || event === undefined) return unreadable;
  if (version !== "" && roomVersion(version) === undefined)
    return broken("This link is of a room version that is not known.");
  const keys = stringMember(value, "keys") ?? "";
  if (Math.max(state.length, event.length, keys.length) > maxTextLength)
    return broken("The case in this link is too large.");
  return {
    _tag: "Case",
    case: {
      version,
      state,
      event,
      maxPairs: pairsIn(member(value, "maxPairs")),
      signers: textsIn(member(value, "signers")),
      keys,
    },
  };
};

/** A budget that a browser can bear. */
export const pairsIn = (value: unknown): number =>
  typeof value === "number" && Number.isInteger(value) && value >= 0
    ? Math.min(value, mostPairs)
    : defaultMaxPairs;

/** The case that a fragment carries. Takes any text, never rejects, unpacks no more than a case may have. */
export const caseOf = async (fragment: string): Promise<Linked> => {
  if (!fragment.startsWith(prefix)) return { _tag: "Nothing" };
  if (fragment.length > maxFragmentLength) return broken("This link is too long.");
  const packed = decodeBase64(fragment.slice(prefix.length), "urlsafe");
  if (packed === undefined) return unreadable;
  const bytes = await through(Uint8Array.from(packed), new DecompressionStream("deflate-raw"), maxCaseBytes);
  if (bytes === undefined) return unreadable;
  const parsed = parseStrict(bytes);
  return parsed._tag === "Right" ? caseIn(parsed.right) : unreadable;
};
