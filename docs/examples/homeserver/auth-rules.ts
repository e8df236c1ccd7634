import { type RoomState, authorize, membershipOf } from "matrix-third-party-invites/judge";
import { domainOf, isJsonObject, parseUserId, redact, userLevel } from "matrix-third-party-invites/matrix";
import { nodeCrypto } from "matrix-third-party-invites/node";
import type { EventLike, JsonObject } from "matrix-third-party-invites/ports";
import { at, idsAt, listAt, textAt } from "./json.js";

/**
 * The authorisation rules. Invites are the library's; what is here are the other rules for members, for power levels, and
 * for the power to send. Left out: `m.room.aliases` of versions 1 to 5, and knocking by a restricted rule.
 */

const member = "m.room.member";

type Level = ReturnType<typeof userLevel>;

/** A level that the power levels name; of texts those that are integers. */
const levelAt = (state: RoomState, fallback: number, ...path: readonly string[]): number => {
  const value = at(state.get("m.room.power_levels", "")?.content, ...path);
  const number = typeof value === "string" && state.version.levels !== "integers" ? Number(value) : value;
  return typeof number === "number" && Number.isFinite(number) ? Math.trunc(number) : fallback;
};

const has = (held: Level, needed: number): boolean => held !== undefined && held >= needed;

const isAbove = (one: Level, other: Level): boolean =>
  one !== undefined && (other === undefined || one > other);

/** What sending an event takes. */
export const neededLevel = (event: EventLike, state: RoomState): number => {
  const hasLevels = state.get("m.room.power_levels", "") !== undefined;
  const fallback =
    typeof event.state_key === "string"
      ? levelAt(state, hasLevels ? 50 : 0, "state_default")
      : levelAt(state, 0, "events_default");
  return levelAt(state, fallback, "events", String(event.type));
};

const checkCreate = (pdu: JsonObject, { roomId, version }: RoomState): string | undefined => {
  if (idsAt(pdu, "prev_events").length > 0) return "A create event follows no other.";
  if (!version.roomIdIsCreateEvent && domainOf(roomId) !== domainOf(textAt(pdu, "sender")))
    return "The room is named after another server.";
  if ((textAt(pdu, "content", "room_version") || "1") !== version.id) return "The version is another one.";
  return version.creators === "content.creator" && textAt(pdu, "content", "creator") === ""
    ? "The create event names no creator."
    : undefined;
};

const checkJoin = (pdu: JsonObject, state: RoomState): string | undefined => {
  const [sender, target] = [textAt(pdu, "sender"), textAt(pdu, "state_key")];
  const create = state.get("m.room.create", "");
  const [first, ...more] = idsAt(pdu, "prev_events");
  const isFirst = first !== undefined && more.length === 0 && state.get(member, sender) === undefined;
  if (isFirst && state.get("m.room.power_levels", "") === undefined && create?.sender === target)
    return undefined;
  if (sender !== target) return "Nobody joins for another.";
  const membership = membershipOf(state, target);
  if (membership === "ban") return "The user is banned.";
  if (membership === "invite" || membership === "join") return undefined;
  const rule = textAt(state.get("m.room.join_rules", "")?.content, "join_rule") || "invite";
  if (rule === "public") return undefined;
  const authoriser = textAt(pdu, "content", "join_authorised_via_users_server");
  const isRestricted = ["restricted", "knock_restricted"].includes(rule) && state.version.restrictedJoins;
  const isAuthorised =
    membershipOf(state, authoriser) === "join" &&
    has(userLevel(state, authoriser), levelAt(state, 0, "invite"));
  return isRestricted && isAuthorised ? undefined : "The user is not invited.";
};

/** Leaving, removing somebody, and banning. */
const checkDeparture = (pdu: JsonObject, state: RoomState): string | undefined => {
  const [sender, target] = [textAt(pdu, "sender"), textAt(pdu, "state_key")];
  const [own, others] = [membershipOf(state, sender), membershipOf(state, target)];
  const isBan = textAt(pdu, "content", "membership") === "ban";
  if (sender === target && !isBan)
    return ["invite", "join", "knock"].includes(own) ? undefined : "The user is not in the room.";
  if (own !== "join") return "The sender is not in the room.";
  const held = userLevel(state, sender);
  if (others === "ban" && !has(held, levelAt(state, 50, "ban"))) return "The sender may not lift a ban.";
  const isAllowed =
    has(held, levelAt(state, 50, isBan ? "ban" : "kick")) && isAbove(held, userLevel(state, target));
  return isAllowed ? undefined : "The sender may not remove the user.";
};

const checkKnock = (pdu: JsonObject, state: RoomState): string | undefined => {
  const rule = textAt(state.get("m.room.join_rules", "")?.content, "join_rule");
  const mayKnock = rule === "knock" && Number(state.version.id) >= 7;
  const membership = membershipOf(state, textAt(pdu, "sender"));
  return mayKnock && pdu["sender"] === pdu["state_key"] && !["ban", "invite", "join"].includes(membership)
    ? undefined
    : "The user may not knock.";
};

/** All levels in a content of power levels, by their paths. */
const levelsIn = (content: unknown): ReadonlyMap<string, unknown> => {
  const named = ["events", "users", "notifications"].flatMap((group) => {
    const levels = at(content, group);
    return isJsonObject(levels)
      ? Object.entries(levels).map(([name, level]) => [JSON.stringify([group, name]), level] as const)
      : [];
  });
  const own = ["users_default", "events_default", "state_default", "ban", "kick", "redact", "invite"];
  return new Map([...own.map((name) => [name, at(content, name)] as const), ...named]);
};

/** Nobody changes a level above their own, sets one above it, or takes power from an equal. */
const checkPowerLevels = (pdu: JsonObject, state: RoomState): string | undefined => {
  const { version } = state;
  const levels = levelsIn(pdu["content"]);
  if (
    version.levels === "integers" &&
    [...levels.values()].some((one) => one !== undefined && !Number.isSafeInteger(one))
  )
    return "A level is no integer.";
  const users = Object.keys(at(pdu, "content", "users") ?? {});
  if (users.some((one) => parseUserId(one)._tag === "Left")) return "A user ID is none.";
  const create = state.get("m.room.create", "");
  const creators = [create?.sender, ...listAt(create?.content, "additional_creators")];
  if (version.creators === "sender and additional" && users.some((one) => creators.includes(one)))
    return "A creator has no level.";
  const before = state.get("m.room.power_levels", "");
  if (before === undefined) return undefined;
  const old = levelsIn(before.content);
  const sender = textAt(pdu, "sender");
  const held = userLevel(state, sender);
  for (const path of new Set([...old.keys(), ...levels.keys()])) {
    const [was, becomes] = [old.get(path), levels.get(path)];
    if (String(was) === String(becomes)) continue;
    if ([was, becomes].some((one) => one !== undefined && !has(held, Number(one))))
      return "A level is above the sender's own.";
    const isEqual = path.startsWith('["users"') && was !== undefined && !isAbove(held, Number(was));
    if (isEqual && path !== JSON.stringify(["users", sender]))
      return "The user has as much power as the sender.";
  }
  return undefined;
};

/** Why an event of a room is not allowed by a state, or `undefined`. */
export const whyNotAllowed = (
  pdu: JsonObject,
  state: RoomState,
  verifiedSigners: ReadonlySet<string>,
): string | undefined => {
  const { type, sender: by, state_key: stateKey } = pdu;
  const sender = String(by);
  if (type === "m.room.create") return checkCreate(pdu, state);
  const create = state.get("m.room.create", "");
  if (create === undefined) return "There is no create event.";
  if (at(create.content, "m.federate") === false && domainOf(String(create.sender)) !== domainOf(sender))
    return "The room is one server's own.";
  const verdict = authorize(pdu, state, nodeCrypto, { verifiedSigners });
  switch (verdict._tag) {
    case "Allow":
      return undefined;
    case "Reject":
      return `${verdict.refusal.message} (rule ${verdict.refusal.rule ?? "-"})`;
    case "TooMuchWork":
      return "It must be judged off the main thread, which this server does not do.";
    case "NotOurs":
      break;
  }
  if (type === member)
    switch (textAt(pdu, "content", "membership")) {
      case "join":
        return checkJoin(pdu, state);
      case "knock":
        return checkKnock(pdu, state);
      case "leave":
      case "ban":
        return checkDeparture(pdu, state);
      default:
        return "There is no such membership.";
    }
  if (membershipOf(state, sender) !== "join") return "The sender is not in the room.";
  if (!has(userLevel(state, sender), neededLevel(pdu, state))) return "The sender has not the power.";
  if (typeof stateKey === "string" && stateKey.startsWith("@") && stateKey !== sender)
    return "The state is another user's.";
  return type === "m.room.power_levels" ? checkPowerLevels(pdu, state) : undefined;
};

/** The redacted copy of `target`, if this redaction by `pdu` counts. */
export const redactedBy = (pdu: JsonObject, target: JsonObject, state: RoomState): JsonObject | undefined => {
  const sender = textAt(pdu, "sender");
  const isOwn = domainOf(sender) === domainOf(textAt(target, "sender"));
  return isOwn || has(userLevel(state, sender), levelAt(state, 50, "redact"))
    ? redact(target, state.version)
    : undefined;
};
