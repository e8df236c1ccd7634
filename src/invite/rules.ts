import type { CryptoEngine } from "../matrix/crypto-engine.js";
import { type EventLike, contentOf } from "../matrix/event.js";
import { domainOf } from "../matrix/ids.js";
import { type JsonObject, hasMember, isJsonObject, member, stringMember } from "../matrix/json.js";
import { type Level, inviteLevel, mayInvite, userLevel } from "../matrix/power-levels.js";
import { type RoomState, membershipOf, stateEvent } from "../matrix/room-state.js";
import type { RoomVersion, RuleNumbers } from "../matrix/room-version.js";
import { authorisationRulesOf } from "../matrix/specification.js";
import type { RefusalCode } from "../refusal.js";
import type { isProven } from "./proof.js";
import { type Shown, shown } from "./shown.js";
import { isTooLarge } from "./signed-size.js";

/** The names of the rules. */
export type RuleName =
  | "room"
  | "create"
  | "federate"
  | "memberShape"
  | "joinAuthoriser"
  | "provenTarget"
  | "provenSigned"
  | "provenMembers"
  | "provenMxid"
  | "provenToken"
  | "provenSender"
  | "provenMatch"
  | "provenNone"
  | "plainSender"
  | "plainTarget"
  | "plainPower"
  | "plainNone"
  | "thirdPartyInviteSender"
  | "thirdPartyInvitePower";

/** The kinds of events that are judged, each by its own rules. */
export type Kind = "thirdPartyInvite" | "provenInvite" | "plainInvite";

/** What a caller of the judge may set. */
export interface AuthorizeOptions {
  /** How many distinct pairs of signature and key may be tried; 64 unless told otherwise. */
  readonly maxPairs?: number;
  /** The servers whose signature on the event the host has verified. Only restricted joins need it. */
  readonly verifiedSigners?: ReadonlySet<string>;
}

/** What the host gives, beside the event and the state. */
export interface Means {
  readonly crypto: CryptoEngine;
  readonly options: AuthorizeOptions;
  /** How a proof is looked for: it may stop at the first match, or look at more than the verdict needs. */
  readonly isProven: typeof isProven;
}

/** What the rules look at, found once for each event. */
export interface Facts {
  readonly event: EventLike;
  readonly content: JsonObject;
  readonly state: RoomState;
  /** A sender that is no text is nobody: of no server, not in the room, no token's sender. */
  readonly sender: string;
  readonly target: string;
  readonly create: EventLike | undefined;
  readonly signed: unknown;
  /** The third-party invite that `signed` names by its token. */
  readonly invite: EventLike | undefined;
  readonly means: Means | undefined;
}

/** The facts of an event. Without means nothing can be proven. */
export const factsOf = (event: EventLike, kind: Kind, state: RoomState, means?: Means): Facts => {
  const content = contentOf(event);
  const signed =
    kind === "provenInvite" ? member(member(content, "third_party_invite"), "signed") : undefined;
  const token = signed === undefined ? undefined : stringMember(signed, "token");
  return {
    event,
    content,
    state,
    sender: typeof event.sender === "string" ? event.sender : "",
    target: typeof event.state_key === "string" ? event.state_key : "",
    create: stateEvent(state, "m.room.create"),
    signed,
    invite: token === undefined ? undefined : stateEvent(state, "m.room.third_party_invite", token),
    means,
  };
};

/** How a rule decides: it allows the event, refuses it with a code, or cannot say within the budget. */
export type Ruling = "allow" | RefusalCode | { readonly pairs: number };

type Values = Readonly<Record<string, Shown>>;

/** One authorisation rule. */
export interface Rule {
  readonly name: RuleName;
  /** Its number in a version's text; `undefined` where the version does not have the rule. */
  readonly number: (rules: RuleNumbers) => string | undefined;
  /** The rule in a sentence. */
  readonly text: string | ((version: RoomVersion) => string);
  /** Where the version's text is. */
  readonly link: (version: RoomVersion) => string;
  /** What the rule decides; `undefined` where it leaves the event to the next rule. */
  readonly check: (facts: Facts) => Ruling | undefined;
  /** Whether the rule refuses nothing: where it does not allow, the next one is asked. */
  readonly onlyAllows?: true;
  /** What decides it, for people. */
  readonly values: (facts: Facts) => Values;
}

/** A rule that leaves nothing to a next one. */
interface LastRule extends Rule {
  readonly check: (facts: Facts) => Ruling;
}

/** The rules for one kind of event, in the order of the specification. */
export interface Rules {
  readonly first: readonly Rule[];
  readonly last: LastRule;
}

/**
 * Whether a room takes part in events of this user's server: only `false` says no.
 *
 * `m.federate` says whether users of other servers may join, and is true where it is not given: https://spec.matrix.org/v1.19/client-server-api/#mroomcreate
 */
export const federates = (create: EventLike, userId: string): boolean =>
  member(contentOf(create), "m.federate") !== false ||
  (typeof create.sender === "string" && domainOf(create.sender) === domainOf(userId));

const link = ({ id }: RoomVersion): string => authorisationRulesOf(id);

const proven = (number: string) => (rules: RuleNumbers) => `${rules.invite}.1.${number}`;
const plain = (number: string) => (rules: RuleNumbers) => `${rules.invite}.${number}`;

const hasSigned = (means: Means | undefined, userId: string): boolean =>
  means?.options.verifiedSigners?.has(domainOf(userId)) === true;

const senderNotJoined = ({ state, sender }: Facts): RefusalCode | undefined =>
  membershipOf(state, sender) === "join" ? undefined : "SenderNotJoined";

const nothing = (): Values => ({});

const senderMembership = ({ sender, state }: Facts): Values => ({
  sender: shown(sender),
  "membership of the sender": membershipOf(state, sender),
});

const targetMembership = ({ target, state }: Facts): Values => ({
  state_key: shown(target),
  "membership of the invited user": membershipOf(state, target),
});

const shownLevel = (level: Level): Shown => {
  if (level === undefined) return "no level in this room version";
  if (typeof level === "bigint") return level.toString();
  return level === Infinity ? "infinite" : level;
};

const power = ({ sender, state }: Facts): Values => ({
  sender: shown(sender),
  "power level of the sender": shownLevel(userLevel(state, sender)),
  "level for inviting": shownLevel(inviteLevel(state)),
});

const everyEvent: readonly Rule[] = [
  {
    name: "room",
    number: (rules) => rules.room,
    text: ({ roomIdIsCreateEvent }) =>
      roomIdIsCreateEvent
        ? "If the room_id is not the ID of the room's m.room.create event, with ! in place of $, reject."
        : "If the event and the events that authorise it are not of one room, reject.",
    link,
    check: ({ event, state }) => (event.room_id === state.roomId ? undefined : "WrongRoom"),
    values: ({ event, state }) => ({ room_id: shown(event.room_id), "ID of the room": shown(state.roomId) }),
  },
  {
    name: "create",
    number: (rules) => rules.create,
    text: "If there is no m.room.create event, reject.",
    link,
    check: ({ create }) => (create === undefined ? "NoCreateEvent" : undefined),
    values: ({ create }) => ({ "m.room.create found": create !== undefined }),
  },
  {
    name: "federate",
    number: (rules) => rules.federate,
    text: "If m.federate of the create event is false, and the sender is not of its sender's server, reject.",
    link,
    check: ({ create, sender }) =>
      create === undefined || federates(create, sender) ? undefined : "NotFederated",
    values: ({ create, sender }) => ({
      "m.federate": shown(member(contentOf(create), "m.federate")),
      "server of the create event's sender": shown(
        typeof create?.sender === "string" ? domainOf(create.sender) : create?.sender,
      ),
      "server of the sender": shown(domainOf(sender)),
    }),
  },
];

const everyMemberEvent: readonly Rule[] = [
  ...everyEvent,
  {
    name: "memberShape",
    number: (rules) => `${rules.member}.1`,
    text: "If there is no state_key, or no membership in content, reject.",
    link,
    check: ({ event, content }) =>
      typeof event.state_key !== "string" || stringMember(content, "membership") === undefined
        ? "MemberMalformed"
        : undefined,
    values: ({ event, content }) => ({
      state_key: shown(event.state_key),
      membership: shown(member(content, "membership")),
    }),
  },
  {
    name: "joinAuthoriser",
    number: (rules) => rules.joinAuthorised,
    text: "If content has join_authorised_via_users_server, and that user's server has not signed the event, reject.",
    link,
    check: ({ state, content, means }) => {
      if (!state.version.restrictedJoins || !hasMember(content, "join_authorised_via_users_server"))
        return undefined;
      const authoriser = stringMember(content, "join_authorised_via_users_server");
      return authoriser !== undefined && hasSigned(means, authoriser) ? undefined : "JoinAuthoriserUnsigned";
    },
    values: ({ content, means }) => {
      const authoriser = member(content, "join_authorised_via_users_server");
      return {
        join_authorised_via_users_server: shown(authoriser),
        ...(typeof authoriser === "string"
          ? { "signature of that server verified": hasSigned(means, authoriser) }
          : {}),
      };
    },
  },
];

const provenInvite: Rules = {
  first: [
    ...everyMemberEvent,
    {
      name: "provenTarget",
      number: proven("1"),
      text: "If the invited user is banned, reject.",
      link,
      check: ({ state, target }) => (membershipOf(state, target) === "ban" ? "TargetBanned" : undefined),
      values: targetMembership,
    },
    {
      name: "provenSigned",
      number: proven("2"),
      text: "If third_party_invite has no signed, reject.",
      link,
      check: ({ signed }) => (signed === undefined ? "NoSigned" : undefined),
      values: ({ content, signed }) => ({
        third_party_invite: shown(member(content, "third_party_invite")),
        signed: shown(signed),
      }),
    },
    {
      name: "provenMembers",
      number: proven("3"),
      text: "If signed has no mxid or no token, reject.",
      link,
      check: ({ signed }) =>
        isJsonObject(signed) && hasMember(signed, "mxid") && hasMember(signed, "token")
          ? undefined
          : "NoMxidOrToken",
      values: ({ signed }) => ({
        signed: shown(signed),
        mxid: shown(member(signed, "mxid")),
        token: shown(member(signed, "token")),
      }),
    },
    {
      name: "provenMxid",
      number: proven("4"),
      text: "If mxid is not the state_key, reject.",
      link,
      check: ({ signed, target }) => (member(signed, "mxid") === target ? undefined : "MxidMismatch"),
      values: ({ signed, target }) => ({ mxid: shown(member(signed, "mxid")), state_key: shown(target) }),
    },
    {
      name: "provenToken",
      number: proven("5"),
      text: "If the room's state has no m.room.third_party_invite whose state_key is the token, reject.",
      link,
      check: ({ invite }) => (invite === undefined ? "TokenUnknown" : undefined),
      values: ({ signed, invite }) => ({
        token: shown(member(signed, "token")),
        "m.room.third_party_invite found": invite !== undefined,
      }),
    },
    {
      name: "provenSender",
      number: proven("6"),
      text: "If the sender is not the sender of that m.room.third_party_invite, reject.",
      link,
      check: ({ sender, invite }) =>
        sender !== "" && invite?.sender === sender ? undefined : "TokenSenderMismatch",
      values: ({ sender, invite }) => ({
        sender: shown(sender),
        "sender of the third-party invite": shown(invite?.sender),
      }),
    },
    {
      name: "provenMatch",
      number: proven("7"),
      text: "If any signature in signed matches any public key of that m.room.third_party_invite, allow.",
      link,
      check: ({ state, signed, invite, means }) => {
        if (means === undefined || !isJsonObject(signed)) return undefined;
        const { crypto, options, isProven } = means;
        const context = { crypto, version: state.version, maxPairs: options.maxPairs };
        const found = isProven(context, signed, contentOf(invite));
        if (typeof found === "object") return found._tag === "TooMuchWork" ? found : undefined;
        return found ? "allow" : undefined;
      },
      onlyAllows: true,
      values: nothing,
    },
  ],
  last: {
    name: "provenNone",
    number: proven("8"),
    text: "Otherwise, reject.",
    link,
    // What no event can hold matches nothing: servers drop an event of that size unread.
    check: ({ signed }) => (isJsonObject(signed) && isTooLarge(signed) ? "SignedTooLarge" : "NotProven"),
    values: nothing,
  },
};

const plainInvite: Rules = {
  first: [
    ...everyMemberEvent,
    {
      name: "plainSender",
      number: plain("2"),
      text: "If the sender is not in the room, reject.",
      link,
      check: senderNotJoined,
      values: senderMembership,
    },
    {
      name: "plainTarget",
      number: plain("3"),
      text: "If the invited user is in the room, or banned, reject.",
      link,
      check: ({ state, target }) => {
        const membership = membershipOf(state, target);
        return membership === "join" ? "TargetJoined" : membership === "ban" ? "TargetBanned" : undefined;
      },
      values: targetMembership,
    },
    {
      name: "plainPower",
      number: plain("4"),
      text: "If the sender's power level is at least the level for inviting, allow.",
      link,
      check: ({ state, sender }) => (mayInvite(state, sender) ? "allow" : undefined),
      onlyAllows: true,
      values: power,
    },
  ],
  last: {
    name: "plainNone",
    number: plain("5"),
    text: "Otherwise, reject.",
    link,
    check: () => "PowerTooLow",
    values: nothing,
  },
};

const thirdPartyInvite: Rules = {
  first: [
    ...everyEvent,
    {
      name: "thirdPartyInviteSender",
      number: (rules) => rules.senderJoined,
      text: "If the sender is not in the room, reject.",
      link,
      check: senderNotJoined,
      values: senderMembership,
    },
  ],
  last: {
    name: "thirdPartyInvitePower",
    number: (rules) => `${rules.thirdPartyInvite}.1`,
    text: "Allow if, and only if, the sender's power level is at least the level for inviting.",
    link,
    check: ({ state, sender }) => (mayInvite(state, sender) ? "allow" : "PowerTooLow"),
    values: power,
  },
};

/**
 * The authorisation rules for events that third-party invites are made of: the one place where they stand.
 *
 * Each room version has its own text; that of version 12: https://spec.matrix.org/v1.19/rooms/v12/#authorisation-rules
 */
export const rulesFor: Readonly<Record<Kind, Rules>> = { thirdPartyInvite, provenInvite, plainInvite };
