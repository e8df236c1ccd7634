import { WrittenNumber } from "./written-number.js";

/** A JSON object whose members nobody has checked yet. */
export type JsonObject = Readonly<Record<string, unknown>>;

export const isJsonObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof WrittenNumber);

/**
 * The member `key` of unchecked JSON, or `undefined`. Only own members count: a hostile or missing key never
 * reaches what the language put on the prototype (`constructor`, `__proto__`).
 */
export const member = (object: unknown, key: string): unknown =>
  isJsonObject(object) && Object.hasOwn(object, key) ? object[key] : undefined;

export const hasMember = (object: unknown, key: string): boolean =>
  isJsonObject(object) && Object.hasOwn(object, key);

export const stringMember = (object: unknown, key: string): string | undefined => {
  const value = member(object, key);
  return typeof value === "string" ? value : undefined;
};

/** The members of unchecked JSON; none of what is no object. */
export const entriesOf = (object: unknown): readonly [name: string, value: unknown][] =>
  isJsonObject(object) ? Object.entries(object) : [];

/** The object without these members. A rest pattern would do for fixed names; this takes a list. */
export const withoutMembers = (object: JsonObject, names: readonly string[]): JsonObject => {
  const copy: Record<string, unknown> = { ...object };
  // Nothing but an own data member can be deleted here: spread made every one of them so.
  for (const name of names) Reflect.deleteProperty(copy, name);
  return copy;
};
