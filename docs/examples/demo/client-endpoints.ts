import { roomVersion } from "matrix-third-party-invites/judge";
import { domainOf, hashAndSignPdu, isJsonObject, parseRoomId } from "matrix-third-party-invites/matrix";
import type { JsonObject, RoomId } from "matrix-third-party-invites/ports";
import { type InviteHost, inviteEndpoint } from "matrix-third-party-invites/http";
import { nodeCrypto } from "matrix-third-party-invites/node";
import { badRequest, forbidden, json, reply } from "./answers.js";
import type { Homeserver } from "./homeserver.js";
import { type Call, type Route, readJson } from "./http.js";
import { at, listAt, textAt } from "./json.js";

/** An access token is the user ID itself, in place of a login. */
const authenticate =
  (server: Homeserver): InviteHost["authenticate"] =>
  (request) => {
    const userId = /^Bearer (@.+)$/.exec(request.headers.get("authorization") ?? "")?.[1] ?? "";
    return Promise.resolve(
      domainOf(userId) === server.name
        ? { _tag: "User", requester: { userId } }
        : {
            _tag: "Denied",
            status: 401,
            body: { errcode: "M_UNKNOWN_TOKEN", error: "Unknown access token" },
          },
    );
  };

type UserCall = Call<{ readonly userId: string }>;

/** Endpoints of our own, for users with an access token. */
const forUsers =
  (server: Homeserver, answer: (server: Homeserver, call: UserCall) => Promise<Response>): Route["answer"] =>
  async (request, param) => {
    const user = await authenticate(server)(request);
    return user._tag === "User"
      ? answer(server, { who: user.requester, body: await readJson(request), param })
      : json(user.status, user.body);
  };

/** `POST /createRoom`, with `invite_3pid`. The room stays where an invite fails. */
const createRoom = async (server: Homeserver, { who, body }: UserCall): Promise<Response> => {
  const version = roomVersion(textAt(body, "room_version"));
  if (version === undefined) return badRequest("The room version is not known.");
  const powerLevels = at(body, "power_level_content_override");
  const roomId = server.memory.create({
    version: version.id,
    creator: who.userId,
    ...(isJsonObject(powerLevels) ? { powerLevels } : {}),
  });
  server.record(roomId, server.memory.timeline(roomId));
  await server.flows.inviteAll({
    roomId,
    requester: who,
    invites: listAt(body, "invite_3pid"),
    details: { isDirect: at(body, "is_direct") === true },
  });
  return json(200, { room_id: roomId });
};

/** Joins a room that this server has: the join is an event like any other. */
const joinHere = async (server: Homeserver, roomId: RoomId, userId: string): Promise<Response> => {
  const member = { type: "m.room.member", stateKey: userId };
  const snapshot = await server.ports.rooms.snapshot(roomId, [member], {});
  if (snapshot._tag !== "Snapshot") return forbidden("This server is not in the room.");
  if (textAt(snapshot.get(member.type, userId), "content", "membership") !== "invite")
    return forbidden("The user is not invited.");
  const answer = await server.ports.events.append(
    {
      roomId,
      revision: snapshot.revision,
      reads: [member],
      events: [
        {
          type: "m.room.member",
          room_id: roomId,
          sender: userId,
          state_key: userId,
          content: { membership: "join" },
        },
      ],
    },
    {},
  );
  return answer._tag === "Appended" ? json(200, { room_id: roomId }) : forbidden(answer._tag);
};

/** Joins a room through a server that is in it: `make_join`, then `send_join`. */
const joinThrough = async (
  server: Homeserver,
  via: string,
  roomId: RoomId,
  userId: string,
): Promise<Response> => {
  const room = encodeURIComponent(roomId);
  const ask = `/_matrix/federation/v1/make_join/${room}/${encodeURIComponent(userId)}?ver=10&ver=12`;
  const made = await server.ask(via, "GET", ask);
  if (made.status !== 200) return json(made.status, made.body);
  const version = roomVersion(textAt(made.body, "room_version"));
  const template = at(made.body, "event");
  if (version === undefined || !isJsonObject(template)) return forbidden("The template is not understood.");
  const event = { ...template, origin_server_ts: Date.now() };
  const join = hashAndSignPdu(nodeCrypto, event, version, { serverName: server.name, key: server.key });
  if (join._tag === "Left") return forbidden(`The join cannot be signed: ${join.left._tag}.`);

  const { eventId, pdu } = join.right;
  const send = `/_matrix/federation/v2/send_join/${room}/${encodeURIComponent(eventId)}`;
  const sent = await server.ask(via, "PUT", send, pdu);
  if (sent.status !== 200) return json(sent.status, sent.body);
  const depthOf = (event: JsonObject): number => Number(event["depth"]);
  const events: JsonObject[] = [];
  for (const event of [...listAt(sent.body, "auth_chain"), ...listAt(sent.body, "state")]) {
    const checked = isJsonObject(event) ? server.check(event, version) : undefined;
    if (checked?._tag !== "Right") return forbidden("An event of the room is not good.");
    events.push(checked.right.pdu);
  }
  events.sort((one, other) => depthOf(one) - depthOf(other));
  server.memory.load(roomId, version.id, [...events, pdu]);
  server.record(roomId, server.memory.timeline(roomId));
  return json(200, { room_id: roomId });
};

/** `POST …/join`, with `third_party_signed` or without. */
const join = async (server: Homeserver, { who, body, param }: UserCall): Promise<Response> => {
  const { userId } = who;
  const parsed = parseRoomId(param("roomId"));
  if (parsed._tag === "Left") return badRequest(parsed.left.why);
  const roomId = parsed.right;
  const thirdPartySigned = at(body, "third_party_signed");
  let via = domainOf(server.invites.get(`${roomId} ${userId}`)?.sender ?? "");
  if (thirdPartySigned !== undefined) {
    const ready = await server.flows.redeemThirdPartySigned({ roomId, requester: who, thirdPartySigned });
    if (ready._tag === "Left") return reply(ready);
    via = ready.right.via[0] ?? via;
  }
  if ((await server.residentVersion(roomId)) !== undefined) return joinHere(server, roomId, userId);
  return via === "" ? forbidden("The user is not invited.") : joinThrough(server, via, roomId, userId);
};

/** `PUT …/state/m.room.third_party_invite/{token}`: only the empty content, which revokes, is served here. */
const setInvite = async (server: Homeserver, { who, body, param }: UserCall): Promise<Response> =>
  isJsonObject(body) && Object.keys(body).length === 0
    ? reply(
        await server.flows.revokeInvite({ roomId: param("roomId"), requester: who, token: param("token") }),
      )
    : forbidden("These events are made by invites alone.");

export const clientRoutes = (server: Homeserver): readonly Route[] => {
  const client = "/_matrix/client/v3";
  return [
    {
      methods: ["POST", "OPTIONS"],
      path: `${client}/rooms/:roomId/invite`,
      answer: inviteEndpoint(server.flows, { authenticate: authenticate(server) }),
    },
    { methods: ["POST"], path: `${client}/createRoom`, answer: forUsers(server, createRoom) },
    { methods: ["POST"], path: `${client}/rooms/:roomId/join`, answer: forUsers(server, join) },
    {
      methods: ["PUT"],
      path: `${client}/rooms/:roomId/state/m.room.third_party_invite/:token`,
      answer: forUsers(server, setInvite),
    },
  ];
};
