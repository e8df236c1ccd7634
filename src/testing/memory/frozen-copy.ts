import { isJsonObject } from "../../matrix/json.js";
import { WrittenNumber } from "../../matrix/written-number.js";

const freeze = (value: unknown): void => {
  if (typeof value !== "object" || value === null || value instanceof WrittenNumber) return;
  Object.values(value).forEach(freeze);
  Object.freeze(value);
};

/** A structured clone knows nothing of written numbers, which do not change: they are kept as they are. */
const copyOf = (value: unknown): unknown => {
  if (value instanceof WrittenNumber) return value;
  if (Array.isArray(value)) return value.map(copyOf);
  if (isJsonObject(value))
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, copyOf(item)]));
  return structuredClone(value);
};

/** A copy of plain data that nobody can change, all the way down; what was copied may go on changing. */
export const frozenCopy = <T>(value: T): T => {
  const copy = copyOf(value) as T;
  freeze(copy);
  return copy;
};
