import { parseStrict } from "matrix-third-party-invites/judge";
import { member } from "matrix-third-party-invites/matrix";

/** What stands at the end of a path of names in unchecked JSON. */
export const at = (value: unknown, ...path: readonly string[]): unknown =>
  path.reduce<unknown>((inner, name) => member(inner, name), value);

/** The text there, or the empty one. */
export const textAt = (value: unknown, ...path: readonly string[]): string => {
  const found = at(value, ...path);
  return typeof found === "string" ? found : "";
};

/** The list there, or the empty one. */
export const listAt = (value: unknown, ...path: readonly string[]): readonly unknown[] => {
  const found = at(value, ...path);
  return Array.isArray(found) ? found : [];
};

/** JSON as events from room version 6 on must be written, or `undefined` where a text is none. */
export const parseJson = (text: string): unknown => {
  const parsed = parseStrict(text);
  return parsed._tag === "Right" ? parsed.right : undefined;
};
