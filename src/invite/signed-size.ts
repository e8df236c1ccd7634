import { maxEventBytes } from "../matrix/event-format.js";
import { type JsonObject, isJsonObject } from "../matrix/json.js";
import { utf8Length } from "../matrix/utf8.js";
import { WrittenNumber } from "../matrix/written-number.js";

/** A text in quotation marks, with what must be escaped. One that is longer than all of it may be need not be written. */
const textBytes = (text: string): number =>
  text.length > maxEventBytes ? text.length : utf8Length(JSON.stringify(text));

const leafBytes = (value: unknown): number => {
  if (typeof value === "string") return textBytes(value);
  return value instanceof WrittenNumber ? value.toString().length : String(value).length;
};

/**
 * Whether this `signed` has more bytes than are taken; than an event may have unless told otherwise. Stops counting there, so that
 * it costs no more than an event does, and never calls itself. Without this a delivery of megabytes would be sorted,
 * hashed and tried; no honest `signed` has a thousand bytes.
 */
export const isTooLarge = (signed: JsonObject, maxBytes = maxEventBytes): boolean => {
  let left = maxBytes;
  const waiting: unknown[] = [signed];
  try {
    while (waiting.length > 0 && left >= 0) {
      const value = waiting.pop();
      if (Array.isArray(value)) {
        // Brackets, and the commas between: one byte more than it has items, and two where it has none.
        left -= Math.max(value.length + 1, 2);
        if (left >= 0) for (const item of value) waiting.push(item);
      } else if (isJsonObject(value)) {
        const names = Object.keys(value);
        left -= Math.max(names.length + 1, 2);
        // Each name has its colon.
        if (left >= 0)
          for (const name of names) {
            left -= textBytes(name) + 1;
            waiting.push(value[name]);
          }
      } else left -= leafBytes(value);
    }
  } catch {
    // Getters and proxies can throw; what has them is no JSON, and proves nothing.
    return false;
  }
  return left < 0;
};
