import type { CanonicalNumbers } from "./canonical-json.js";

/**
 * What differs between room versions, as data: a rule that depends on the version reads it here and nowhere else,
 * and a new version is one more row.
 */
export interface RoomVersion {
  readonly id: string;
  /** Where an event's ID comes from: its own field, or its reference hash in one of two alphabets. */
  readonly eventId: "field" | "standard hash" | "urlsafe hash";
  /** Whether a room's ID is its create event's ID with another sigil, and that event has no `room_id`. */
  readonly roomIdIsCreateEvent: boolean;
  /** Whether events must be canonical JSON, with integers only. */
  readonly strictCanonicalJson: boolean;
  /** The highest `depth`; for the versions that allow 2^63-1, the highest a double keeps apart. */
  readonly maxDepth: number;
  /** Whether a key must have been valid at the event's time. */
  readonly enforcesKeyValidity: boolean;
  /** Who holds power without being named: `content.creator`, the create event's sender, or all its creators. */
  readonly creators: "content.creator" | "sender" | "sender and additional";
  /** What may stand for a level in `m.room.power_levels`. */
  readonly levels: "integers" | "integers and strings" | "integers, strings and floats";
  /** Whether `content.join_authorised_via_users_server` has a meaning. */
  readonly restrictedJoins: boolean;
  readonly redaction: RedactionRules;
  readonly rules: RuleNumbers;
}

/**
 * Which numbers the events of a version may hold.
 *
 * From room version 6 on events are strict canonical JSON: https://spec.matrix.org/v1.19/rooms/v6/#canonical-json
 */
export const numbersOf = ({ strictCanonicalJson }: RoomVersion): CanonicalNumbers =>
  strictCanonicalJson ? "integers" : "any";

/** What redaction leaves: top-level members, and members of `content` by event type. */
export interface RedactionRules {
  readonly topLevel: readonly string[];
  readonly content: Readonly<Record<string, readonly string[] | "all">>;
  /** Whether `third_party_invite` of a member event survives with its `signed` alone. */
  readonly keepsSigned: boolean;
}

/** The numbers that the room version's own text gives to the rules that this library applies. */
export interface RuleNumbers {
  readonly authEvents: string;
  /** The event is of another room; in version 12, its room ID is not that of the create event. */
  readonly room: string;
  /** There is no create event. */
  readonly create: string;
  readonly federate: string;
  readonly member: string;
  readonly joinAuthorised: string | undefined;
  readonly invite: string;
  readonly senderJoined: string;
  readonly thirdPartyInvite: string;
}

const topLevel = [
  "event_id",
  "type",
  "room_id",
  "sender",
  "state_key",
  "content",
  "hashes",
  "signatures",
  "depth",
  "prev_events",
  "auth_events",
  "origin_server_ts",
];

const contentBefore6 = {
  "m.room.member": ["membership"],
  "m.room.create": ["creator"],
  "m.room.join_rules": ["join_rule"],
  "m.room.power_levels": [
    "ban",
    "events",
    "events_default",
    "kick",
    "redact",
    "state_default",
    "users",
    "users_default",
  ],
  "m.room.aliases": ["aliases"],
  "m.room.history_visibility": ["history_visibility"],
} as const;

const { "m.room.aliases": _noLongerSpecial, ...content6 } = contentBefore6;

const content8 = { ...content6, "m.room.join_rules": ["join_rule", "allow"] } as const;

const content9 = {
  ...content8,
  "m.room.member": ["membership", "join_authorised_via_users_server"],
} as const;

const content11 = {
  ...content9,
  "m.room.create": "all",
  "m.room.power_levels": [...content9["m.room.power_levels"], "invite"],
  "m.room.redaction": ["redacts"],
} as const;

const redactionBefore11 = (content: RedactionRules["content"]): RedactionRules => ({
  topLevel: [...topLevel, "prev_state", "origin", "membership"],
  content,
  keepsSigned: false,
});

const redaction11: RedactionRules = { topLevel, content: content11, keepsSigned: true };

const version1: RoomVersion = {
  id: "1",
  eventId: "field",
  roomIdIsCreateEvent: false,
  strictCanonicalJson: false,
  maxDepth: Number.MAX_SAFE_INTEGER,
  enforcesKeyValidity: false,
  creators: "content.creator",
  levels: "integers, strings and floats",
  restrictedJoins: false,
  redaction: redactionBefore11(contentBefore6),
  rules: {
    authEvents: "2",
    room: "2.5",
    create: "2.4",
    federate: "3",
    member: "5",
    joinAuthorised: undefined,
    invite: "5.3",
    senderJoined: "6",
    thirdPartyInvite: "7",
  },
};

const version3: RoomVersion = { ...version1, id: "3", eventId: "standard hash" };

const version4: RoomVersion = { ...version3, id: "4", eventId: "urlsafe hash" };

const version5: RoomVersion = { ...version4, id: "5", enforcesKeyValidity: true };

const version6: RoomVersion = {
  ...version5,
  id: "6",
  strictCanonicalJson: true,
  levels: "integers and strings",
  redaction: redactionBefore11(content6),
  rules: {
    ...version5.rules,
    member: "4",
    invite: "4.3",
    senderJoined: "5",
    thirdPartyInvite: "6",
  },
};

const version8: RoomVersion = {
  ...version6,
  id: "8",
  restrictedJoins: true,
  redaction: redactionBefore11(content8),
  rules: { ...version6.rules, joinAuthorised: "4.2", invite: "4.4" },
};

const version9: RoomVersion = { ...version8, id: "9", redaction: redactionBefore11(content9) };

const version10: RoomVersion = { ...version9, id: "10", levels: "integers" };

const version11: RoomVersion = { ...version10, id: "11", creators: "sender", redaction: redaction11 };

const version12: RoomVersion = {
  ...version11,
  id: "12",
  roomIdIsCreateEvent: true,
  creators: "sender and additional",
  rules: {
    authEvents: "3",
    room: "2",
    create: "2",
    federate: "4",
    member: "5",
    joinAuthorised: "5.2",
    invite: "5.4",
    senderJoined: "6",
    thirdPartyInvite: "7",
  },
};

const known: ReadonlyMap<string, RoomVersion> = new Map(
  [
    version1,
    { ...version1, id: "2" },
    version3,
    version4,
    version5,
    version6,
    { ...version6, id: "7" },
    version8,
    version9,
    version10,
    version11,
    version12,
  ].map((version) => [version.id, version]),
);

/** The room versions that the library knows, oldest first. */
export const roomVersionIds: readonly string[] = [...known.keys()];

/**
 * The rules of a room version, or `undefined` where it is not known.
 *
 * @example
 * roomVersion("12")?.roomIdIsCreateEvent; // true
 */
export const roomVersion = (id: string): RoomVersion | undefined => known.get(id);
