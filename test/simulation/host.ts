import { isRight } from "fp-ts/lib/Either.js";
import { matrixError } from "matrix-third-party-invites";
import { domainOf, member, stringMember } from "matrix-third-party-invites/matrix";
import type { Events, JsonObject, RoomId } from "matrix-third-party-invites/ports";
import { judgeAppend, judgeName } from "./append-checks.js";
import { judgeToken } from "./token-checks.js";
import { isForNow, stall, statusForNow, strikes } from "./faults.js";
import { placeOf, tokenName } from "./ledger.js";
import { request } from "./network.js";
import type { Replica, RoomEvent } from "./room.js";
import { type Template, createFields, make, put } from "./room-events.js";
import { runFlow } from "./run-flow.js";
import { keepsSecrets } from "./secrecy.js";
import { type Flow, residentIn, serverNow } from "./server.js";
import { type World, crash, mayCrash } from "./world.js";

const isProofOf = (event: RoomEvent): { readonly token: string; readonly mxid: string } | undefined => {
  const signed = member(member(event.content, "third_party_invite"), "signed");
  const token = stringMember(signed, "token");
  return token === undefined ? undefined : { token, mxid: event.state_key };
};

type Appended = Awaited<ReturnType<Events["append"]>>;

const strippedState = (replica: Replica): readonly JsonObject[] => {
  const create = replica.get("m.room.create");
  if (create === undefined) return [];
  const { type, sender, state_key, content } = create;
  const ofRoom = replica.room.version.roomIdIsCreateEvent ? {} : { room_id: replica.room.id };
  const signatures = { [domainOf(sender)]: { "ed25519:1": "AAAA" } };
  return [{ type, sender, state_key, content, ...ofRoom, ...createFields, signatures }];
};

/** The invitee's server signs an invite, or says no. */
const askInvitee = async (
  world: World,
  flow: Flow,
  replica: Replica,
  event: RoomEvent,
): Promise<Appended | undefined> => {
  const to = world.servers.get(domainOf(event.state_key));
  if (to === undefined || to === flow.server) return undefined;
  const { id, version } = replica.room;
  const { type, sender, state_key, content, room_id } = event;
  const body = {
    event: { type, sender, state_key, content, room_id },
    room_version: version.id,
    invite_room_state: strippedState(replica),
  };
  keepsSecrets(world, `the invite request to ${to.name}`, body);
  const origin = flow.server.name;
  const reply = await request(world, to, "invite", flow.process, async (process) => {
    const result = await runFlow(world, to, process, "receiveInboundInvite", (invites) =>
      invites.receiveInboundInvite({ roomId: id, origin, body }),
    );
    if (!isRight(result)) return matrixError(result.left).status;
    to.invited.set(`${id} ${state_key}`, origin);
    world.onInvited(to, id, state_key);
    return 200;
  });
  if (reply._tag === "Nothing") return { _tag: "Unavailable", retryAfterMs: 1_000 };
  if (reply._tag === "Error") return { _tag: "Refused", status: reply.status, errcode: "M_UNKNOWN" };
  const status = reply.answer;
  return status === 200 ? undefined : { _tag: "Refused", status, errcode: errcodeOf(status) };
};

/** What a homeserver says with a status. */
const errcodeOf = (status: number): string => {
  if (isForNow(status)) return "M_UNKNOWN";
  return status === 404 ? "M_NOT_FOUND" : status === 400 ? "M_BAD_JSON" : "M_FORBIDDEN";
};

/** Remembers which redemptions the host refused for good, so that giving them up is right. */
const noteRefusal = (world: World, roomId: string, templates: readonly Template[], status: number): void => {
  if (isForNow(status)) return;
  const { refusedForGood } = world.ledger;
  for (const { content, state_key } of templates) {
    const token = stringMember(member(member(content, "third_party_invite"), "signed"), "token");
    if (token === undefined) continue;
    refusedForGood.add(tokenName({ roomId, token, mxid: state_key }));
  }
};

/** The `events` port: what a homeserver does behind an append. */
export const appendAsHost = async (
  world: World,
  flow: Flow,
  asked: Parameters<Events["append"]>[0],
): Promise<Appended> => {
  const { chance, faults, scheduler } = world;
  const { server, process } = flow;
  const { roomId, revision, reads, events } = asked;
  const isConflict = (): boolean => residentIn(server, roomId)?.hasChanged(reads, Number(revision)) ?? true;
  const refuse = (status: number): Appended => {
    noteRefusal(world, roomId, events, status);
    return { _tag: "Refused", status, errcode: errcodeOf(status) };
  };

  if (strikes(faults, chance, faults.rooms.conflict)) return { _tag: "Conflict" };
  if (strikes(faults, chance, faults.rooms.unavailable)) return { _tag: "Unavailable", retryAfterMs: 500 };
  if (strikes(faults, chance, faults.rooms.refusedForNow)) return refuse(statusForNow(chance));
  if (strikes(faults, chance, faults.rooms.refusedForGood)) return refuse(chance.pick([400, 403, 404]));
  const replica = residentIn(server, roomId);
  if (replica === undefined || isConflict()) return { _tag: "Conflict" };
  const makeNow = (template: Template): RoomEvent =>
    make(serverNow(server, scheduler.now), server, replica, template);
  for (const template of events) {
    judgeName(world, server, makeNow(template));
    if (template.type !== "m.room.member") continue;
    const no = await askInvitee(world, flow, replica, makeNow(template));
    if (no?._tag === "Refused") return refuse(no.status);
    if (no !== undefined) return no;
  }
  if (chance.happens(0.2)) await scheduler.sleep(chance.below(30), process);
  if (strikes(faults, chance, faults.rooms.slow)) {
    await scheduler.sleep(stall(chance));
    // Whoever watches over the process may have taken it for dead.
    if (faults.active && faults.crash > 0 && chance.happens(0.6)) crash(world, server, process);
  }
  if (isConflict()) return { _tag: "Conflict" };
  const eventIds = events.map((template) => {
    const event = makeNow(template);
    judgeAppend(world, server, flow.startedAt, event, replica);
    judgeToken(world, flow, event, replica);
    note(world, flow, roomId, event);
    world.trace.note(process.name, () => `${flow.name}#${flow.id} appends ${describe(event)}`);
    return put(world, server, replica, template).event_id;
  });
  mayCrash(world, server, process);
  return { _tag: "Appended", eventIds };
};

export const describe = ({ type, state_key, content, sender }: Template): string =>
  type === "m.room.member"
    ? `${stringMember(content, "membership") ?? "?"} of ${state_key}${
        content["third_party_invite"] === undefined ? "" : " (proven)"
      } by ${sender}`
    : `${type} ${state_key}${Object.keys(content).length === 0 ? " (emptied)" : ""}`;

/** Whoever was invited by a token, and kicked, is not invited again because somebody delivers their proof again. */
const judgeReplay = (world: World, { name, server, claimedAt }: Flow, token: string): void => {
  const rememberedAt = world.ledger.rememberedAt.get(`${server.name} ${token}`) ?? Infinity;
  if (name === "deliverOwed" && rememberedAt < (claimedAt.get(token) ?? 0))
    world.violate("redeemed", `${server.name} redeems ${token} again, which it has to remember`);
};

const note = (world: World, flow: Flow, roomId: RoomId, event: RoomEvent): void => {
  const { ledger } = world;
  const proof = isProofOf(event);
  if (proof !== undefined) {
    judgeReplay(world, flow, tokenName({ roomId, ...proof }));
    ledger.proven.add(tokenName({ roomId, ...proof }));
  }
  if (event.type !== "m.room.third_party_invite") return;
  const place = placeOf({ roomId, token: event.state_key });
  const given = ledger.given.get(place);
  if (given === undefined) return;
  const { invite } = given;
  if (event.content["public_keys"] === undefined) {
    // The event is another user's now, and the inviter may not write it anew.
    if (event.sender !== given.sender) ledger.useless.add(place);
    return;
  }
  ledger.appended.set(invite, [...(ledger.appended.get(invite) ?? []), event.state_key]);
};
