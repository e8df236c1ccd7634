import { type JsonObject, hasMember, isJsonObject, member } from "./json.js";
import type { RoomVersion } from "./room-version.js";

const pick = (object: JsonObject, names: readonly string[]): Record<string, unknown> => {
  const kept: Record<string, unknown> = {};
  for (const name of names) if (hasMember(object, name)) kept[name] = object[name];
  return kept;
};

const redactContent = (content: JsonObject, type: unknown, version: RoomVersion): JsonObject => {
  const rules = version.redaction;
  const names = typeof type === "string" ? member(rules.content, type) : undefined;
  if (names === "all") return content;
  const kept = pick(content, Array.isArray(names) ? (names as readonly string[]) : []);
  if (rules.keepsSigned && type === "m.room.member") {
    // Only an object keeps anything: of it `signed` alone, whole. Where it has none, `{}` stays (D-34).
    const invite = member(content, "third_party_invite");
    if (isJsonObject(invite)) kept["third_party_invite"] = pick(invite, ["signed"]);
  }
  return kept;
};

/**
 * The event as its room version redacts it. `unsigned` goes with the rest; whoever shows a redacted
 * event to people adds their own.
 *
 * Each room version names the members that redaction keeps; those of version 11: https://spec.matrix.org/v1.19/rooms/v11/#redactions
 *
 * @example
 * redact(pdu, roomVersion("11")!).content; // { membership: "invite", third_party_invite: { signed: { … } } }
 */
export const redact = (pdu: JsonObject, version: RoomVersion): JsonObject => {
  const kept = pick(pdu, version.redaction.topLevel);
  const content = member(pdu, "content");
  kept["content"] = redactContent(isJsonObject(content) ? content : {}, member(pdu, "type"), version);
  return kept;
};
