import {
  type RoomState,
  type Verdict,
  authorize,
  membershipOf,
  roomState,
} from "matrix-third-party-invites/judge";
import { domainOf, member, stringMember } from "matrix-third-party-invites/matrix";
import { crypto } from "./keys.js";
import { keysThatProve } from "./proof-check.js";
import type { Replica, RoomEvent } from "./room.js";
import { keepsSecrets } from "./secrecy.js";
import type { Server } from "./server.js";
import type { World } from "./world.js";

const nameOf = ({ type, state_key, sender }: RoomEvent): string => `${type} of ${state_key} by ${sender}`;

const said = (verdict: Verdict): string => (verdict._tag === "Reject" ? verdict.refusal.code : verdict._tag);

/** The rules, against one state. */
export const judgeByRules = (world: World, event: RoomEvent, state: RoomState, where: string): void => {
  const verdict = authorize(event, state, crypto);
  if (verdict._tag !== "Allow" && verdict._tag !== "NotOurs")
    world.violate("rules", `${nameOf(event)}: ${said(verdict)} ${where}`);
};

/**
 * The state that an event names as allowing it: all that another server may judge it by, whatever it has. From room
 * version 12 on the room's own ID names the create event.
 */
export const stateOf = (event: RoomEvent, replica: Replica): RoomState => {
  const { version } = replica.room;
  const create = version.roomIdIsCreateEvent ? replica.get("m.room.create") : undefined;
  return roomState(event.room_id, version, [...(create === undefined ? [] : [create]), ...event.authEvents]);
};

/** How long a process believes that a key is valid. */
const believedMs = 5 * 60_000;

const judgeProof = (world: World, startedAt: number, event: RoomEvent, replica: Replica): void => {
  const wrong = (why: string): void => {
    world.violate("proof", `${nameOf(event)}: ${why}`);
  };
  const signed = member(member(event.content, "third_party_invite"), "signed");
  const token = stringMember(signed, "token") ?? "";
  const tokenEvent = replica.get("m.room.third_party_invite", token);
  if (tokenEvent?.sender !== event.sender) {
    wrong("the token is not its sender's");
    return;
  }
  if (stringMember(signed, "mxid") !== event.state_key) wrong("the proof is another user's");
  const keys = keysThatProve(signed, tokenEvent.content);
  if (keys.length === 0) wrong("no key of the token signed");
  else if (!keys.some((key) => world.identity.vouchedSince(key, startedAt - believedMs)))
    wrong("the identity server had withdrawn its key before anybody was asked");
};

/** Whether this server may make such an event at all, whoever stops it afterwards. */
export const judgeName = (world: World, server: Server, event: RoomEvent): void => {
  const isProven = member(event.content, "third_party_invite") !== undefined;
  const own = domainOf(event.sender) === server.name;
  const forOurUser = isProven && domainOf(event.state_key) === server.name;
  if (!own && !forOurUser) world.violate("name", `${server.name} makes ${nameOf(event)}`);
};

/** Every event that a server of ours is about to append, against its own view of the room as it is before it. */
export const judgeAppend = (
  world: World,
  server: Server,
  startedAt: number,
  event: RoomEvent,
  replica: Replica,
): void => {
  const state = replica.state();
  judgeByRules(world, event, state, `in the view of ${server.name}`);
  judgeByRules(world, event, stateOf(event, replica), "by its own auth events");
  const thirdParty = member(event.content, "third_party_invite");
  keepsSecrets(world, `an event of ${server.name}`, event.content);
  if (event.type !== "m.room.member") return;
  const membership = membershipOf(state, event.state_key);
  if (membership === "join") world.violate("joined", `${server.name} appends ${nameOf(event)}`);
  if (thirdParty === undefined) return;
  judgeProof(world, startedAt, event, replica);
  const before = replica.get("m.room.member", event.state_key);
  const token = stringMember(member(thirdParty, "signed"), "token");
  const same = stringMember(member(member(before?.content, "third_party_invite"), "signed"), "token");
  if (membership === "invite" && token === same)
    world.violate("redeemed", `${server.name} redeems ${String(token)} for ${event.state_key} a second time`);
};
