import { type JsonObject, isJsonObject } from "./json.js";

/**
 * An event as somebody else made it: any of its fields may be missing or of any type, and each is read only when a
 * rule needs it. A host's own event objects fit as they are, getters included.
 */
export interface EventLike {
  readonly type?: unknown;
  readonly sender?: unknown;
  readonly room_id?: unknown;
  readonly event_id?: unknown;
  readonly state_key?: unknown;
  readonly origin_server_ts?: unknown;
  readonly content?: unknown;
}

/** Whether there is anything to read an event's fields from. */
export const isEvent = (value: unknown): value is EventLike =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/**
 * An event for the homeserver to complete and append: its own builder adds `auth_events`, `prev_events`, `depth`,
 * the time, the hashes and the signatures.
 */
export interface EventTemplate {
  readonly type: "m.room.member" | "m.room.third_party_invite";
  readonly room_id: string;
  readonly sender: string;
  readonly state_key: string;
  readonly content: JsonObject;
}

/** The place of an event in the state of a room: its type and its state key. */
export interface StateEntry {
  readonly type: string;
  readonly stateKey: string;
}

export const entry = (type: string, stateKey = ""): StateEntry => ({ type, stateKey });

const noContent: JsonObject = {};

/** The content of an event; an event without an object there has none. */
export const contentOf = (event: EventLike | undefined): JsonObject => {
  const content: unknown = event?.content;
  return isJsonObject(content) ? content : noContent;
};
