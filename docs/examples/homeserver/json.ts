import { type JsonObject, canonicalJson, isJsonObject, member } from "matrix-third-party-invites/matrix";
import { parseStrict } from "matrix-third-party-invites/judge";

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

/** The JSON objects in the list there. */
export const objectsAt = (value: unknown, ...path: readonly string[]): readonly JsonObject[] =>
  listAt(value, ...path).filter(isJsonObject);

/** The IDs in a list of references to events; versions 1 and 2 name an event by its ID and a hash. */
export const idsAt = (event: unknown, name: "auth_events" | "prev_events"): readonly string[] =>
  listAt(event, name).map((one) => String(Array.isArray(one) ? (one as readonly unknown[])[0] : one));

/** JSON with every number as it was written, since events of old room versions are hashed so; `undefined` where a text is none. */
export const parseJson = (text: string): unknown => {
  const parsed = parseStrict(text, "any");
  return parsed._tag === "Right" ? parsed.right : undefined;
};

/** The text that `parseJson` reads again as the same. */
export const writeJson = (value: unknown): string => {
  const written = canonicalJson(value, "any");
  return written._tag === "Right" ? written.right : JSON.stringify(value);
};
