import {
  type JsonObject,
  type RoomId,
  hashAndSignPdu,
  invite,
  parseRoomId,
  redeemThirdPartySigned,
  revokeInvite,
  roomVersion,
} from "matrix-third-party-invites";
import { nodeCrypto } from "matrix-third-party-invites/node";
import { forbidden, reply, serverNameOf } from "./answers.js";
import type { Homeserver } from "./homeserver.js";
import { type Call, type Route, json } from "./http.js";
import { at, isObject, listAt, textAt } from "./json.js";

/** Answers to users with an access token, which here is the user ID: a stub. */
const forUsers =
  (server: Homeserver, answer: (call: Call, userId: string) => Promise<Response>) =>
  async (call: Call): Promise<Response> => {
    const userId = /^Bearer (@.+)$/.exec(call.authorization)?.[1] ?? "";
    return serverNameOf(userId) === server.name
      ? answer(call, userId)
      : json(401, { errcode: "M_UNKNOWN_TOKEN", error: "Unknown access token" });
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
  if (version === undefined || !isObject(template)) return forbidden("The template is not understood.");
  const event = { ...template, origin_server_ts: Date.now() };
  const join = hashAndSignPdu(nodeCrypto, event, version, server.name, server.key);
  if (join._tag === "Left") return forbidden(`The join cannot be signed: ${join.left._tag}.`);

  const { eventId, pdu } = join.right;
  const send = `/_matrix/federation/v2/send_join/${room}/${encodeURIComponent(eventId)}`;
  const sent = await server.ask(via, "PUT", send, pdu);
  if (sent.status !== 200) return json(sent.status, sent.body);
  const depthOf = (event: JsonObject): number => Number(event["depth"]);
  const events = [...listAt(sent.body, "auth_chain"), ...listAt(sent.body, "state")]
    .filter(isObject)
    .sort((one, other) => depthOf(one) - depthOf(other));
  for (const event of events) {
    const wrong = server.whatIsWrong(event, version);
    if (wrong !== undefined) return forbidden(`An event of the room is not good. ${wrong}`);
  }
  server.memory.load(roomId, version.id, [...events, pdu]);
  server.record(roomId, server.memory.timeline(roomId));
  return json(200, { room_id: roomId });
};

/** `POST …/join`, with `third_party_signed` or without. */
const join = async (server: Homeserver, call: Call, userId: string): Promise<Response> => {
  const parsed = parseRoomId(call.param("roomId"));
  if (parsed._tag === "Left") return json(400, { errcode: "M_INVALID_PARAM", error: parsed.left.why });
  const roomId = parsed.right;
  const thirdPartySigned = at(call.body, "third_party_signed");
  let via = serverNameOf(server.invites.get(`${roomId} ${userId}`)?.sender ?? "");
  if (thirdPartySigned !== undefined) {
    const ready = await redeemThirdPartySigned(server.ports)({
      roomId,
      requester: { userId },
      thirdPartySigned,
    });
    if (ready._tag === "Left") return reply(ready);
    via = ready.right.via[0] ?? via;
  }
  if ((await server.residentVersion(roomId)) !== undefined) return joinHere(server, roomId, userId);
  return via === "" ? forbidden("The user is not invited.") : joinThrough(server, via, roomId, userId);
};

export const clientRoutes = (server: Homeserver): readonly Route[] => [
  {
    method: "POST",
    path: "/_matrix/client/v3/rooms/:roomId/invite",
    answer: forUsers(server, async ({ param, body }, userId) =>
      reply(await invite(server.ports)({ roomId: param("roomId"), requester: { userId }, body })),
    ),
  },
  {
    method: "POST",
    path: "/_matrix/client/v3/rooms/:roomId/join",
    answer: forUsers(server, (call, userId) => join(server, call, userId)),
  },
  {
    // Only the empty content, which revokes, is served here.
    method: "PUT",
    path: "/_matrix/client/v3/rooms/:roomId/state/m.room.third_party_invite/:token",
    answer: forUsers(server, async (call, userId) =>
      isObject(call.body) && Object.keys(call.body).length === 0
        ? reply(
            await revokeInvite(server.ports)({
              roomId: call.param("roomId"),
              requester: { userId },
              token: call.param("token"),
            }),
          )
        : forbidden("These events are made by invites alone."),
    ),
  },
];
