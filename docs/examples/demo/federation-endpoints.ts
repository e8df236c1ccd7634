import {
  type CheckedPdu,
  type RoomState,
  authorize,
  checkAuthEvents,
  membershipOf,
  roomVersion,
  selectAuthEvents,
} from "matrix-third-party-invites/judge";
import { domainOf, eventId, isJsonObject, parseRoomId, signPdu } from "matrix-third-party-invites/matrix";
import type { EventLike, JsonObject } from "matrix-third-party-invites/ports";
import { type ExchangeHost, exchangeEndpoint, onBindEndpoint } from "matrix-third-party-invites/http";
import { nodeCrypto } from "matrix-third-party-invites/node";
import { badRequest, forbidden, json, notInRoom, reply } from "./answers.js";
import { requestOrigin } from "./federation-client.js";
import type { Homeserver } from "./homeserver.js";
import { type Call, type Route, readJson } from "./http.js";
import { at, listAt, textAt } from "./json.js";

/** Servers sign their requests. */
const authenticate =
  (server: Homeserver): ExchangeHost["authenticate"] =>
  (request, content) => {
    const origin = requestOrigin(server.network, request, content, server.name);
    return Promise.resolve(
      origin === undefined
        ? {
            _tag: "Denied",
            status: 401,
            body: { errcode: "M_UNAUTHORIZED", error: "The request is not signed by a known server." },
          }
        : { _tag: "Server", origin },
    );
  };

type ServerCall = Call<{ readonly origin: string }>;

/** Endpoints of our own, for servers whose signature on the request is good. */
const forServers =
  (
    server: Homeserver,
    answer: (server: Homeserver, call: ServerCall) => Promise<Response>,
  ): Route["answer"] =>
  async (request, param) => {
    const body = await readJson(request);
    const who = await authenticate(server)(request, body);
    return who._tag === "Server" ? answer(server, { who, body, param }) : json(who.status, who.body);
  };

/** `PUT /invite`: the event's ID, hash and signatures are the host's to verify, the rest is the library's. */
const invite = async (server: Homeserver, { who: { origin }, body, param }: ServerCall) => {
  const version = roomVersion(textAt(body, "room_version"));
  const event =
    version && server.checkInvite(at(body, "event"), version, { eventId: param("eventId"), origin });
  if (version !== undefined && event === undefined) return badRequest("The event is not good.");
  const result = await server.flows.receiveInboundInvite({ roomId: param("roomId"), origin, body });
  if (result._tag === "Left" || version === undefined || event === undefined) return reply(result);
  const signed = signPdu(event, version, server.name, server.key);
  if (signed._tag === "Left") return badRequest(signed.left._tag);
  const { roomId, target, sender, strippedState } = result.right;
  server.invites.set(`${roomId} ${target}`, { sender, strippedState });
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
 * An event as it is taken into a room, or why it is not. A real server judges it by the state that its `auth_events`
 * make and by the state before it, too, and fetches what it does not know of them.
 */
const judge = (server: Homeserver, event: JsonObject, state: RoomState): CheckedPdu | string => {
  const checked = server.check(event, state.version);
  if (checked._tag === "Left") return `It is not good: ${checked.left._tag}.`;
  const { pdu, signers } = checked.right;

  const timeline = server.memory.timeline(state.roomId);
  const named = listAt(pdu, "auth_events").map((id) => timeline.find((one) => one.eventId === id)?.pdu);
  if (named.includes(undefined)) return "It names an event that is not known here.";
  const auth = named.filter(isJsonObject).map((one) => ({ event: one, rejected: false }));
  const wrong = checkAuthEvents(pdu, auth, state.version);
  if (wrong._tag === "Left") return wrong.left.message;

  const verdict = authorize(pdu, state, nodeCrypto, { verifiedSigners: signers });
  switch (verdict._tag) {
    case "Allow":
      return checked.right;
    case "Reject":
      return `${verdict.refusal.message} (rule ${verdict.refusal.rule ?? "-"})`;
    case "NotOurs":
      return mayJoin(pdu, state) ? checked.right : "This server's own rules do not allow it.";
    case "TooMuchWork":
      return "It must be judged again, off the main thread.";
  }
};

/** `PUT /send/{txnId}`: events of rooms that this server is in. */
const send = async (server: Homeserver, { body }: ServerCall) => {
  const results: Record<string, JsonObject> = {};
  for (const event of listAt(body, "pdus").filter(isJsonObject)) {
    const roomId = parseRoomId(event["room_id"]);
    if (roomId._tag === "Left") continue;
    const version = await server.residentVersion(roomId.right);
    if (version === undefined) continue;
    const id = eventId(nodeCrypto, event, version);
    if (id._tag === "Left") continue;
    const judged = judge(server, event, server.memory.state(roomId.right));
    results[id.right] = typeof judged === "string" ? { error: judged } : {};
    if (typeof judged !== "string") server.receive(roomId.right, judged.pdu);
  }
  return json(200, { pdus: results });
};

/** Whether somebody of that server is in the room already. */
const isInRoom = (server: Homeserver, roomId: string, name: string): boolean =>
  server.memory
    .stateEvents(roomId)
    .some(
      ({ pdu }) =>
        textAt(pdu, "content", "membership") === "join" && domainOf(textAt(pdu, "state_key")) === name,
    );

const makeJoin = async (server: Homeserver, { who: { origin }, param }: ServerCall) => {
  const userId = param("userId");
  const roomId = parseRoomId(param("roomId"));
  if (roomId._tag === "Left" || (await server.residentVersion(roomId.right)) === undefined)
    return notInRoom();
  if (domainOf(userId) !== origin) return forbidden("The user is another server's.");
  const checked = await server.flows.checkFirstJoin({
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
const sendJoin = async (server: Homeserver, { who: { origin }, body: event, param }: ServerCall) => {
  const roomId = parseRoomId(param("roomId"));
  if (roomId._tag === "Left" || !isJsonObject(event)) return forbidden("There is no room or no event.");
  if ((await server.residentVersion(roomId.right)) === undefined) return notInRoom();
  const judged = judge(server, event, server.memory.state(roomId.right));
  if (typeof judged === "string") return forbidden(judged);
  const state = server.memory.stateEvents(roomId.right);
  const rest = server.memory.timeline(roomId.right).filter((one) => !state.includes(one));
  server.receive(roomId.right, judged.pdu);
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
  return [
    {
      methods: ["PUT", "POST"],
      path: `${federation}/v1/3pid/onbind`,
      answer: onBindEndpoint(server.flows, {
        wake: () => {
          server.deliverSoon();
        },
      }),
    },
    {
      methods: ["PUT"],
      path: `${federation}/v1/exchange_third_party_invite/:roomId`,
      answer: exchangeEndpoint(server.flows, { authenticate: authenticate(server) }),
    },
    {
      methods: ["PUT"],
      path: `${federation}/v2/invite/:roomId/:eventId`,
      answer: forServers(server, invite),
    },
    { methods: ["PUT"], path: `${federation}/v1/send/:txnId`, answer: forServers(server, send) },
    {
      methods: ["GET"],
      path: `${federation}/v1/make_join/:roomId/:userId`,
      answer: forServers(server, makeJoin),
    },
    {
      methods: ["PUT"],
      path: `${federation}/v2/send_join/:roomId/:eventId`,
      answer: forServers(server, sendJoin),
    },
  ];
};
