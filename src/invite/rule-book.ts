import { type EventLike, contentOf } from "../matrix/event.js";
import { domainOf } from "../matrix/ids.js";
import { type JsonObject, member, stringMember } from "../matrix/json.js";
import { type Level, inviteLevel, userLevel } from "../matrix/power-levels.js";
import { type RoomState, membershipOf, stateEvent } from "../matrix/room-state.js";
import type { RuleNumbers } from "../matrix/room-version.js";
import { type AuthorizeOptions, senderOf } from "./authorize.js";
import { type Shown, shown } from "./shown.js";
import type { RuleName } from "./watcher.js";

/** What the rules look at. */
interface Facts {
  readonly event: EventLike;
  readonly content: JsonObject;
  readonly sender: string;
  readonly target: string;
  readonly state: RoomState;
  readonly signed: unknown;
  readonly token: EventLike | undefined;
  readonly verifiedSigners: ReadonlySet<string> | undefined;
}

export const factsOf = (
  event: EventLike,
  content: JsonObject,
  state: RoomState,
  { verifiedSigners }: AuthorizeOptions,
): Facts => {
  const signed = member(member(content, "third_party_invite"), "signed");
  const token = stringMember(signed, "token");
  return {
    event,
    content,
    sender: senderOf(event),
    target: typeof event.state_key === "string" ? event.state_key : "",
    state,
    signed,
    token: token === undefined ? undefined : stateEvent(state, "m.room.third_party_invite", token),
    verifiedSigners,
  };
};

type Values = Readonly<Record<string, Shown>>;

interface Rule {
  readonly number: (rules: RuleNumbers) => string | undefined;
  readonly text: string | ((state: RoomState) => string);
  readonly values: (facts: Facts) => Values;
}

const shownLevel = (level: Level): Shown =>
  level === undefined ? "no level in this room version" : level === Infinity ? "infinite" : level;

const senderMembership = ({ sender, state }: Facts): Values => ({
  sender: shown(sender),
  "membership of the sender": membershipOf(state, sender),
});

const targetMembership = ({ target, state }: Facts): Values => ({
  state_key: shown(target),
  "membership of the invited user": membershipOf(state, target),
});

const power = ({ sender, state }: Facts): Values => ({
  sender: shown(sender),
  "power level of the sender": shownLevel(userLevel(state, sender)),
  "level for inviting": shownLevel(inviteLevel(state)),
});

const nothing = (): Values => ({});

const proven = (number: string) => (rules: RuleNumbers) => `${rules.invite}.1.${number}`;
const plain = (number: string) => (rules: RuleNumbers) => `${rules.invite}.${number}`;

/** The texts of the rules and the values that decide them; whether they hold is `authorize`'s to say. */
export const ruleBook: Readonly<Record<RuleName, Rule>> = {
  room: {
    number: (rules) => rules.room,
    text: ({ version }) =>
      version.roomIdIsCreateEvent
        ? "If the room_id is not the ID of the room's m.room.create event, with ! in place of $, reject."
        : "If the event and the events that authorise it are not of one room, reject.",
    values: ({ event, state }) => ({ room_id: shown(event.room_id), "ID of the room": shown(state.roomId) }),
  },
  create: {
    number: (rules) => rules.create,
    text: "If there is no m.room.create event, reject.",
    values: ({ state }) => ({ "m.room.create found": stateEvent(state, "m.room.create") !== undefined }),
  },
  federate: {
    number: (rules) => rules.federate,
    text: "If m.federate of the create event is false, and the sender is not of its sender's server, reject.",
    values: ({ state, sender }) => {
      const create = stateEvent(state, "m.room.create");
      return {
        "m.federate": shown(member(contentOf(create), "m.federate")),
        "server of the create event's sender": shown(
          typeof create?.sender === "string" ? domainOf(create.sender) : create?.sender,
        ),
        "server of the sender": shown(domainOf(sender)),
      };
    },
  },
  memberShape: {
    number: (rules) => `${rules.member}.1`,
    text: "If there is no state_key, or no membership in content, reject.",
    values: ({ event, content }) => ({
      state_key: shown(event.state_key),
      membership: shown(member(content, "membership")),
    }),
  },
  joinAuthoriser: {
    number: (rules) => rules.joinAuthorised,
    text: "If content has join_authorised_via_users_server, and that user's server has not signed the event, reject.",
    values: ({ content, verifiedSigners }) => {
      const authoriser = member(content, "join_authorised_via_users_server");
      return {
        join_authorised_via_users_server: shown(authoriser),
        ...(typeof authoriser === "string"
          ? { "signature of that server verified": verifiedSigners?.has(domainOf(authoriser)) === true }
          : {}),
      };
    },
  },
  provenTarget: {
    number: proven("1"),
    text: "If the invited user is banned, reject.",
    values: targetMembership,
  },
  provenSigned: {
    number: proven("2"),
    text: "If third_party_invite has no signed, reject.",
    values: ({ content, signed }) => ({
      third_party_invite: shown(member(content, "third_party_invite")),
      signed: shown(signed),
    }),
  },
  provenMembers: {
    number: proven("3"),
    text: "If signed has no mxid or no token, reject.",
    values: ({ signed }) => ({
      signed: shown(signed),
      mxid: shown(member(signed, "mxid")),
      token: shown(member(signed, "token")),
    }),
  },
  provenMxid: {
    number: proven("4"),
    text: "If mxid is not the state_key, reject.",
    values: ({ signed, target }) => ({ mxid: shown(member(signed, "mxid")), state_key: shown(target) }),
  },
  provenToken: {
    number: proven("5"),
    text: "If the room's state has no m.room.third_party_invite whose state_key is the token, reject.",
    values: ({ signed, token }) => ({
      token: shown(member(signed, "token")),
      "m.room.third_party_invite found": token !== undefined,
    }),
  },
  provenSender: {
    number: proven("6"),
    text: "If the sender is not the sender of that m.room.third_party_invite, reject.",
    values: ({ sender, token }) => ({
      sender: shown(sender),
      "sender of the third-party invite": shown(token?.sender),
    }),
  },
  provenMatch: {
    number: proven("7"),
    text: "If any signature in signed matches any public key of that m.room.third_party_invite, allow.",
    values: nothing,
  },
  provenNone: { number: proven("8"), text: "Otherwise, reject.", values: nothing },
  plainSender: {
    number: plain("2"),
    text: "If the sender is not in the room, reject.",
    values: senderMembership,
  },
  plainTarget: {
    number: plain("3"),
    text: "If the invited user is in the room, or banned, reject.",
    values: targetMembership,
  },
  plainPower: {
    number: plain("4"),
    text: "If the sender's power level is at least the level for inviting, allow.",
    values: power,
  },
  plainNone: { number: plain("5"), text: "Otherwise, reject.", values: nothing },
  mintedSender: {
    number: (rules) => rules.senderJoined,
    text: "If the sender is not in the room, reject.",
    values: senderMembership,
  },
  mintedPower: {
    number: (rules) => `${rules.thirdPartyInvite}.1`,
    text: "Allow if, and only if, the sender's power level is at least the level for inviting.",
    values: power,
  },
};
