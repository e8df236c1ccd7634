import type { EventLike } from "matrix-third-party-invites";
import {
  type Explanation,
  type RoomVersion,
  explain,
  roomState,
  roomVersion,
} from "matrix-third-party-invites/judge";
import { isJsonObject, member, roomIdOfCreate, stringMember } from "matrix-third-party-invites/matrix";
import type { CryptoEngine, JsonObject } from "matrix-third-party-invites/ports";
import { type Finding, checkReceipt, keyDocuments, keysIn } from "./receipt.js";
import { type TextProblem, readJson } from "./text.js";

/** A case as a person writes it: texts, so that it stays as it was written even while it is no JSON. */
export interface Case {
  /** The version of the room; empty for what the create event says. */
  readonly version: string;
  readonly state: string;
  readonly event: string;
  readonly maxPairs: number;
  /** The servers whose signature on the event is taken for verified. */
  readonly signers: readonly string[];
  /** Key documents of servers; empty for none. */
  readonly keys: string;
}

export const defaultMaxPairs = 64;
/** As many as a browser tries in about two seconds. */
export const mostPairs = 256;
/** A hundred events or two; a browser takes seconds to lay out much longer texts. */
export const maxTextLength = 200_000;

export interface Problem extends TextProblem {
  readonly field: "version" | "state" | "event" | "keys";
}

export type Judgement =
  | { readonly _tag: "Judged"; readonly explanation: Explanation; readonly receipt: readonly Finding[] }
  | { readonly _tag: "Unreadable"; readonly problems: readonly Problem[] };

/** Events, also where they are wrapped: as `events`, `state` or `pdus` of an object, each as the `pdu` of one. */
export const eventsIn = (value: unknown): readonly unknown[] | undefined => {
  const list = Array.isArray(value)
    ? (value as readonly unknown[])
    : (member(value, "events") ?? member(value, "state") ?? member(value, "pdus"));
  return Array.isArray(list)
    ? list.map((one: unknown) => (isJsonObject(member(one, "pdu")) ? member(one, "pdu") : one))
    : undefined;
};

const isCreate = (event: unknown): event is JsonObject =>
  stringMember(event, "type") === "m.room.create" && stringMember(event, "state_key") === "";

/** The version that is asked for, or the one that the create event names: version 1 where it names none. */
const versionOf = (chosen: string, create: JsonObject | undefined): RoomVersion | undefined => {
  if (chosen !== "") return roomVersion(chosen);
  if (create === undefined) return undefined;
  const named = member(create["content"], "room_version") ?? "1";
  return typeof named === "string" ? roomVersion(named) : undefined;
};

/** The ID of the room that the state is of. Where the create event does not say it, the event is taken at its word. */
const roomIdOf = (
  crypto: CryptoEngine,
  version: RoomVersion,
  create: JsonObject | undefined,
  event: unknown,
): string => {
  if (create !== undefined && version.roomIdIsCreateEvent) {
    const id = roomIdOfCreate(crypto, create, version);
    if (id._tag === "Right") return id.right;
  }
  return stringMember(create, "room_id") ?? stringMember(event, "room_id") ?? "";
};

/** What the library says of a case at a time, or what keeps it from being read. */
export const judge = (one: Case, crypto: CryptoEngine, now = Date.now()): Judgement => {
  const state = readJson(one.state, maxTextLength);
  const event = readJson(one.event, maxTextLength);
  const keys = readJson(one.keys.trim() === "" ? "[]" : one.keys, maxTextLength);
  const problems: Problem[] = [];
  const events = state._tag === "Json" ? eventsIn(state.value) : undefined;
  if (state._tag === "Problem") problems.push({ field: "state", ...state.problem });
  else if (events === undefined)
    problems.push({ field: "state", message: "The state must be a list of events.", at: 0 });
  if (event._tag === "Problem") problems.push({ field: "event", ...event.problem });
  if (keys._tag === "Problem") problems.push({ field: "keys", ...keys.problem });
  if (events === undefined || event._tag === "Problem" || keys._tag === "Problem")
    return { _tag: "Unreadable", problems };

  const create = events.findLast(isCreate);
  const version = versionOf(one.version, create);
  if (version === undefined) {
    const message =
      create === undefined
        ? "The state has no m.room.create event that says it: choose a version."
        : "The create event names a version that is not known: choose one.";
    return { _tag: "Unreadable", problems: [{ field: "version", message }] };
  }
  const room = roomState(
    roomIdOf(crypto, version, create, event.value),
    version,
    events.filter(isJsonObject),
  );
  const subject: EventLike = isJsonObject(event.value) ? event.value : {};
  const options = { maxPairs: one.maxPairs, verifiedSigners: new Set(one.signers) };
  return {
    _tag: "Judged",
    explanation: explain(subject, room, crypto, options),
    receipt: isJsonObject(event.value)
      ? checkReceipt(crypto, event.value, version, keysIn(keyDocuments(keys.value), now))
      : [],
  };
};
