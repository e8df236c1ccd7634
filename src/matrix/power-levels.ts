import { contentOf } from "./event.js";
import { type JsonObject, hasMember, isJsonObject, member, stringMember } from "./json.js";
import { type RoomState, stateEvent } from "./room-state.js";
import type { RoomVersion } from "./room-version.js";
import { WrittenNumber, integerText } from "./written-number.js";

/**
 * A power level: an integer, a `bigint` where it is beyond what a number keeps apart, or `Infinity` for the creators of a
 * room of version 12. Numbers and bigints compare exactly with each other. `undefined` stands for a value that is no level
 * in the room's version; a state that holds one cannot arise by the rules.
 */
export type Level = number | bigint | undefined;

// Infinity is the creators' alone. Adding zero turns -0, which no comparison of levels should ever show, into 0.
const asLevel = (value: number): Level => (Number.isFinite(value) ? value + 0 : undefined);

const integerLiteral = /^-?[0-9]+$/;

/**
 * Reads one value as the room's version does. Where a text may stand for a level, what the versions' own text leaves open
 * is read as Synapse does, which made these events: with Python's `int()` (D-186).
 *
 * From room version 10 on levels are integers: https://spec.matrix.org/v1.19/rooms/v10/#values-in-mroompower_levels-events-must-be-integers
 */
export const readLevel = (value: unknown, levels: RoomVersion["levels"]): Level => {
  switch (typeof value) {
    case "number":
      if (Number.isSafeInteger(value)) return asLevel(value);
      // Floats are truncated, whatever their size; what a double cannot hold has become infinite in parsing.
      return levels === "integers, strings and floats" ? asLevel(Math.trunc(value)) : undefined;
    case "object": {
      if (!(value instanceof WrittenNumber)) return undefined;
      const isExact = levels === "integers, strings and floats" && integerLiteral.test(value.toString());
      return isExact ? integerText(value.toString()) : readLevel(value.valueOf(), levels);
    }
    case "string":
      return levels === "integers" ? undefined : integerText(value);
    case "boolean":
      return levels === "integers" ? undefined : Number(value);
    default:
      return undefined;
  }
};

/** A level of the room itself, such as `invite`. Where versions do not ask for integers, `null` says nothing (D-186). */
const levelIn = (content: JsonObject, name: string, levels: RoomVersion["levels"]): Level => {
  const value = member(content, name);
  return value === undefined || (value === null && levels !== "integers") ? 0 : readLevel(value, levels);
};

/** The users who hold the creator's power: what the version says of the create event. */
const isCreator = (state: RoomState, userId: string): boolean => {
  const create = stateEvent(state, "m.room.create");
  switch (state.version.creators) {
    case "content.creator":
      return stringMember(contentOf(create), "creator") === userId;
    case "sender":
      return create?.sender === userId;
    case "sender and additional": {
      const additional = member(contentOf(create), "additional_creators");
      return create?.sender === userId || (Array.isArray(additional) && additional.includes(userId));
    }
  }
};

/**
 * The power level of a user in the room.
 *
 * A user without a level of their own has `users_default`, or 0: https://spec.matrix.org/v1.19/client-server-api/#mroompower_levels
 */
export const userLevel = (state: RoomState, userId: string): Level => {
  const levels = stateEvent(state, "m.room.power_levels");
  // Version 12: the creators' power is infinite, whatever the power levels say.
  if (state.version.creators === "sender and additional" && isCreator(state, userId)) return Infinity;
  if (levels === undefined) return isCreator(state, userId) ? 100 : 0;
  const content = contentOf(levels);
  const users = member(content, "users");
  if (isJsonObject(users) && hasMember(users, userId)) return readLevel(users[userId], state.version.levels);
  if (users !== undefined && !isJsonObject(users)) return undefined;
  return levelIn(content, "users_default", state.version.levels);
};

/**
 * The level that inviting needs: `invite` of the power levels, else 0.
 *
 * `invite` is 0 where it is not given: https://spec.matrix.org/v1.19/client-server-api/#mroompower_levels
 */
export const inviteLevel = (state: RoomState): Level =>
  levelIn(contentOf(stateEvent(state, "m.room.power_levels")), "invite", state.version.levels);

/**
 * Whether a user has the power to invite. A level that is none in the room's version gives nobody power.
 *
 * To invite, a user needs the level `invite`: https://spec.matrix.org/v1.19/client-server-api/#mroompower_levels
 *
 * @example
 * mayInvite(state, "@alice:example.org"); // true where the power levels say nothing of it
 */
export const mayInvite = (state: RoomState, userId: string): boolean => {
  const needed = inviteLevel(state);
  const held = userLevel(state, userId);
  return needed !== undefined && held !== undefined && held >= needed;
};
