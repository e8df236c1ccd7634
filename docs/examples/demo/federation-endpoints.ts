import {
  type EventLike,
  type JsonObject,
  type RoomState,
  authorize,
  checkAuthEvents,
  eventId,
  firstJoinChecks,
  membershipOf,
  parseRoomId,
  receiveExchange,
  receiveInboundInvite,
  receiveOnBind,
  roomVersion,
  selectAuthEvents,
  signPdu,
} from "matrix-third-party-invites";
import { nodeCrypto } from "matrix-third-party-invites/node";
import { forbidden, notInRoom, reply, serverNameOf } from "./answers.js";
import { requestOrigin } from "./federation-client.js";
import type { Homeserver } from "./homeserver.js";
import { type Call, type Route, json } from "./http.js";
import { at, isObject, listAt, textAt } from "./json.js";

/** Answers to servers whose signature on the request is good. */
const forServers =
  (server: Homeserver, answer: (call: Call, origin: string) => Promise<Response>) =>
  async (call: Call): Promise<Response> => {
    const origin = requestOrigin(server.network, call, server.name);
    return origin === undefined
      ? json(401, { errcode: "M_UNAUTHORIZED", error: "The request is not signed by a known server." })
      : answer(call, origin);
  };

/** `/3pid/onbind` is signed by nobody (ONB-2): what it delivers is believed only when it has been proven. */
const onBind = (server: Homeserver) => async (call: Call) => {
  const result = await receiveOnBind(server.ports)(call.body);
  if (result._tag === "Right") server.deliverSoon();
  return reply(result);
};

const exchange = async (server: Homeserver, call: Call, origin: string) =>
  reply(
    await receiveExchange(server.ports)({
      roomId: call.param("roomId"),
      origin,
      body: call.body,
    }),
  );

/** The event's own form and signature are the host's to verify, the rest is the library's. */
const invite = async (server: Homeserver, call: Call, origin: string) => {
  const version = roomVersion(textAt(call.body, "room_version"));
  const event = at(call.body, "event");
  if (version !== undefined) {
    const wrong = server.whatIsWrong(event, version, [origin], call.param("eventId"));
    if (wrong !== undefined) return json(400, { errcode: "M_INVALID_PARAM", error: wrong });
  }
  const result = await receiveInboundInvite(server.ports)({
    roomId: call.param("roomId"),
    origin,
    body: call.body,
  });
  if (result._tag === "Left" || version === undefined || !isObject(event)) return reply(result);
  const signed = signPdu(event, version, server.name, server.key);
  if (signed._tag === "Left") return json(400, { errcode: "M_BAD_JSON", error: signed.left._tag });
  const { roomId, target, sender } = result.right;
  server.invites.set(`${roomId} ${target}`, { sender });
  return json(200, { event: signed.right });
};

/** The one rule of its own that this small server has: who is invited, or in the room already, may join. */
const mayJoin = (event: EventLike, state: RoomState): boolean =>
  event.type === "m.room.member" &&
  textAt(event, "content", "membership") === "join" &&
  event.sender === event.state_key &&
  typeof event.sender === "string" &&
  ["invite", "join"].includes(membershipOf(state, event.sender));

/**
 * Why an event is not taken into a room, or `undefined` where it is. A real server judges it by the state that its
 * `auth_events` make and by the state before it, too, and fetches what it does not know of them.
 */
const refused = (server: Homeserver, event: JsonObject, state: RoomState): string | undefined => {
  const wrong = server.whatIsWrong(event, state.version);
  if (wrong !== undefined) return wrong;
  const timeline = server.memory.timeline(state.roomId);
  const named = listAt(event, "auth_events").map((id) => timeline.find((one) => one.eventId === id)?.pdu);
  if (named.includes(undefined)) return "It names an event that is not known here.";
  const auth = named.filter(isObject).map((pdu) => ({ event: pdu, rejected: false }));
  const checked = checkAuthEvents(event, auth, state.version);
  if (checked._tag === "Left") return checked.left.message;
  const verdict = authorize(event, state, nodeCrypto);
  switch (verdict._tag) {
    case "Allow":
      return undefined;
    case "Reject":
      return `${verdict.refusal.message} (rule ${verdict.refusal.rule ?? "-"})`;
    case "NotOurs":
      return mayJoin(event, state) ? undefined : "This server's own rules do not allow it.";
    case "TooMuchWork":
      return "It must be judged again, off the main thread.";
  }
};

/** `PUT /send/{txnId}`: events of rooms that this server is in. */
const send = async (server: Homeserver, call: Call) => {
  const results: Record<string, JsonObject> = {};
  for (const event of listAt(call.body, "pdus").filter(isObject)) {
    const roomId = parseRoomId(event["room_id"]);
    if (roomId._tag === "Left") continue;
    const version = await server.residentVersion(roomId.right);
    if (version === undefined) continue;
    const id = eventId(nodeCrypto, event, version);
    if (id._tag === "Left") continue;
    const error = refused(server, event, server.memory.state(roomId.right));
    results[id.right] = error === undefined ? {} : { error };
    if (error === undefined) server.receive(roomId.right, event);
  }
  return json(200, { pdus: results });
};

/** Whether somebody of that server is in the room already. */
const isInRoom = (server: Homeserver, roomId: string, name: string): boolean =>
  server.memory
    .stateEvents(roomId)
    .some(
      ({ pdu }) =>
        textAt(pdu, "content", "membership") === "join" && serverNameOf(textAt(pdu, "state_key")) === name,
    );

const makeJoin = async (server: Homeserver, call: Call, origin: string) => {
  const userId = call.param("userId");
  const roomId = parseRoomId(call.param("roomId"));
  if (roomId._tag === "Left" || (await server.residentVersion(roomId.right)) === undefined)
    return notInRoom();
  if (serverNameOf(userId) !== origin) return forbidden("The user is another server's.");
  const checked = await firstJoinChecks(server.ports)({
    roomId: roomId.right,
    userId,
    serverInRoom: isInRoom(server, roomId.right, origin),
  });
  if (checked._tag === "Left") return reply(checked);

  const state = server.memory.state(roomId.right);
  const join = {
    type: "m.room.member",
    room_id: roomId.right,
    sender: userId,
    state_key: userId,
    content: { membership: "join" },
  };
  if (!mayJoin(join, state)) return forbidden("The user is not invited.");
  const timeline = server.memory.timeline(roomId.right);
  const wanted = selectAuthEvents(join, state.version);
  const authEvents = server.memory
    .stateEvents(roomId.right)
    .filter(({ pdu }) =>
      wanted.some(({ type, stateKey }) => pdu["type"] === type && pdu["state_key"] === stateKey),
    );
  return json(200, {
    room_version: state.version.id,
    event: {
      ...join,
      auth_events: authEvents.map((event) => event.eventId),
      prev_events: timeline.slice(-1).map((event) => event.eventId),
      depth: timeline.length + 1,
    },
  });
};

/** The state that is answered is that before the join; the auth chain of a small room is the rest of its events. */
const sendJoin = async (server: Homeserver, call: Call, origin: string) => {
  const roomId = parseRoomId(call.param("roomId"));
  const event = call.body;
  if (roomId._tag === "Left" || !isObject(event)) return forbidden("There is no room or no event.");
  if ((await server.residentVersion(roomId.right)) === undefined) return notInRoom();
  const error = refused(server, event, server.memory.state(roomId.right));
  if (error !== undefined) return forbidden(error);
  const state = server.memory.stateEvents(roomId.right);
  const rest = server.memory.timeline(roomId.right).filter((one) => !state.includes(one));
  server.receive(roomId.right, event);
  await server.sendToRoom(roomId.right, server.memory.timeline(roomId.right).slice(-1), origin);
  return json(200, {
    origin: server.name,
    event,
    state: state.map(({ pdu }) => pdu),
    auth_chain: rest.map(({ pdu }) => pdu),
    members_omitted: false,
  });
};

export const federationRoutes = (server: Homeserver): readonly Route[] => {
  const federation = "/_matrix/federation";
  const signed = (
    method: string,
    path: string,
    answer: (server: Homeserver, call: Call, origin: string) => Promise<Response>,
  ): Route => ({
    method,
    path: `${federation}${path}`,
    answer: forServers(server, (call, origin) => answer(server, call, origin)),
  });
  return [
    // The specification says PUT in one place and POST in others, and identity servers do (ONB-1).
    { method: "PUT", path: `${federation}/v1/3pid/onbind`, answer: onBind(server) },
    { method: "POST", path: `${federation}/v1/3pid/onbind`, answer: onBind(server) },
    signed("PUT", "/v1/exchange_third_party_invite/:roomId", exchange),
    signed("PUT", "/v2/invite/:roomId/:eventId", invite),
    signed("PUT", "/v1/send/:txnId", send),
    signed("GET", "/v1/make_join/:roomId/:userId", makeJoin),
    signed("PUT", "/v2/send_join/:roomId/:eventId", sendJoin),
  ];
};
