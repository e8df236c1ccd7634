import { randomBytes } from "node:crypto";
import type { Hono } from "hono";
import { inviteEndpoint, matrixResponse } from "matrix-third-party-invites/http";
import { type RoomVersion, roomVersion } from "matrix-third-party-invites/judge";
import { domainOf, isJsonObject, parseRoomId } from "matrix-third-party-invites/matrix";
import type { JsonObject } from "matrix-third-party-invites/ports";
import { build } from "../event-builder/build.js";
import { badRequest, forbidden, json, notFound } from "./answers.js";
import type { Homeserver } from "./homeserver.js";
import { joinThrough } from "./joins.js";
import { at, listAt, parseJson, textAt } from "./json.js";
import { type Answer, type Call, addRoutes, authenticateUser, forUsers } from "./routes.js";

/** Makes the create event, and with it the room. */
const beginRoom = (server: Homeserver, creator: string, version: RoomVersion): string => {
  const named = `!${randomBytes(12).toString("base64url")}:${server.name}`;
  const template = {
    type: "m.room.create",
    sender: creator,
    state_key: "",
    content: { room_version: version.id, ...(version.creators === "content.creator" ? { creator } : {}) },
    ...(version.roomIdIsCreateEvent ? {} : { room_id: named }),
  };
  const empty = { version: version.id, position: 0, heads: [], stateKeys: () => [] };
  const room = { ...empty, at: () => undefined, event: () => undefined };
  const [create] = build(room, [template], server.host) ?? [];
  if (create === undefined) throw new Error("The create event cannot be made.");
  const roomId = version.roomIdIsCreateEvent ? `!${create.eventId.slice(1)}` : named;
  server.database.transaction(() => {
    server.store.begin(roomId, version.id);
    server.store.add(roomId, create, "accepted");
    // Nobody is in the room before the creator is.
    const join = build(server.store.roomAt(roomId, version), [joinOf(creator, roomId)], server.host)?.[0];
    if (join === undefined) throw new Error("The creator's join cannot be made.");
    server.store.add(roomId, join, "accepted");
  });
  return roomId;
};

const joinOf = (userId: string, roomId: string): JsonObject => ({
  type: "m.room.member",
  room_id: roomId,
  sender: userId,
  state_key: userId,
  content: { membership: "join" },
});

/** `POST /createRoom`, with `invite` and `invite_3pid`. The room stays where an invite fails. */
const createRoom =
  (server: Homeserver): Answer =>
  async ({ who, body }) => {
    const version = roomVersion(textAt(body, "room_version") || "12");
    if (version === undefined)
      return json(400, { errcode: "M_UNSUPPORTED_ROOM_VERSION", error: "The room version is not known." });
    const roomId = beginRoom(server, who, version);
    const levels = at(body, "power_level_content_override");
    const isPublic = textAt(body, "preset") === "public_chat";
    const state: readonly (readonly [string, JsonObject])[] = [
      [
        "m.room.power_levels",
        {
          ...(version.creators === "sender and additional" ? {} : { users: { [who]: 100 } }),
          ...(isJsonObject(levels) ? levels : {}),
        },
      ],
      ["m.room.join_rules", { join_rule: isPublic ? "public" : "invite" }],
      ...["name", "topic"].flatMap((name) =>
        textAt(body, name) === "" ? [] : [[`m.room.${name}`, { [name]: textAt(body, name) }] as const],
      ),
    ];
    for (const [type, content] of state) {
      const put = await server.put(roomId, { type, sender: who, state_key: "", content });
      if (typeof put === "string") return badRequest(put);
    }
    const requester = { userId: who };
    const details = { isDirect: at(body, "is_direct") === true };
    for (const user_id of listAt(body, "invite"))
      await server.invites.invite({ roomId, requester, body: { user_id } });
    await server.invites.inviteAll({ roomId, requester, invites: listAt(body, "invite_3pid"), details });
    return json(200, { room_id: roomId });
  };

/** `POST …/join`, with `third_party_signed` or without. */
const join =
  (server: Homeserver): Answer =>
  async ({ who: userId, body, param, query }) => {
    const parsed = parseRoomId(param("roomId"));
    if (parsed._tag === "Left") return badRequest(parsed.left.why);
    const roomId = parsed.right;
    const [invite] = server.database.rows(
      "SELECT sender FROM invite WHERE room_id = ? AND user_id = ?",
      ...[roomId, userId],
    );
    const thirdPartySigned = at(body, "third_party_signed");
    const vias = [...query.getAll("via"), ...query.getAll("server_name")];
    if (invite !== undefined) vias.unshift(domainOf(String(invite["sender"])));
    if (thirdPartySigned !== undefined) {
      const ready = await server.invites.redeemThirdPartySigned({
        roomId,
        requester: { userId },
        thirdPartySigned,
      });
      if (ready._tag === "Left") return matrixResponse(ready);
      vias.unshift(...ready.right.via);
    }
    let answer = forbidden("The user is not invited, and no server is named to join through.");
    if (server.store.isResident(roomId)) {
      const joined = await server.put(roomId, joinOf(userId, roomId));
      if (typeof joined !== "string") return json(200, { room_id: roomId });
      // An invite that we have just signed may not have come into the room here yet.
      answer = forbidden(joined);
    }
    for (const via of new Set(vias)) {
      if (via === server.name) continue;
      answer = await joinThrough(server, via, roomId, userId).catch(() =>
        json(424, { errcode: "M_CONNECTION_FAILED", error: `${via} cannot be reached.` }),
      );
      if (answer.ok) break;
    }
    return answer;
  };

/** `PUT …/state/{type}/{key}`; the empty content of a third-party invite revokes it, and nobody makes one here. */
const setState =
  (server: Homeserver): Answer =>
  async ({ who, body, param }) => {
    const [roomId, type, stateKey] = [param("roomId"), param("type"), param("key")];
    if (!isJsonObject(body)) return badRequest("There is no content.");
    if (type === "m.room.third_party_invite")
      return Object.keys(body).length === 0
        ? matrixResponse(
            await server.invites.revokeInvite({ roomId, requester: { userId: who }, token: stateKey }),
          )
        : forbidden("These events are made by invites alone.");
    if (type === "m.room.member" && textAt(body, "membership") === "invite")
      return forbidden("Invites are made by /invite.");
    return putEvent(server, roomId, { type, sender: who, state_key: stateKey, content: body });
  };

const putEvent = async (server: Homeserver, roomId: string, template: JsonObject): Promise<Response> => {
  const put = await server.put(roomId, template);
  return typeof put === "string" ? forbidden(put) : json(200, { event_id: put.eventId });
};

/** `GET /sync`, always from the beginning: the state of the rooms that the user is in, and the invites. */
const sync =
  (server: Homeserver): Answer =>
  ({ who }) => {
    const { store } = server;
    const joined = store.rooms().filter((roomId) => store.membership(roomId, who) === "join");
    const invitedHere = store.rooms().filter((roomId) => store.membership(roomId, who) === "invite");
    const invited = server.database.rows("SELECT * FROM invite WHERE user_id = ?", who);
    const shown = (events: unknown) => ({ invite_state: { events } });
    return json(200, {
      next_batch: "0",
      rooms: {
        join: Object.fromEntries(
          joined.map((roomId) => [
            roomId,
            {
              timeline: {
                events: store.timeline(roomId).map(({ eventId: event_id, pdu }) => ({ ...pdu, event_id })),
              },
            },
          ]),
        ),
        invite: Object.fromEntries([
          ...invited.map((row) => [String(row["room_id"]), shown(parseJson(String(row["shown"])))] as const),
          ...invitedHere.map((roomId) => [roomId, shown([])] as const),
        ]),
      },
    });
  };

export const addClientEndpoints = (app: Hono, server: Homeserver): void => {
  const v3 = "/_matrix/client/v3";
  const own = (answer: Answer) => forUsers(server, answer);
  const inRoom = (answer: (call: Call, roomId: string) => Promise<Response>) =>
    own((call) => answer(call, call.param("roomId")));
  const member = (membership: string) =>
    inRoom(({ who, body }, roomId) => {
      const userId = textAt(body, "user_id") || who;
      const content = {
        membership,
        ...(textAt(body, "reason") === "" ? {} : { reason: textAt(body, "reason") }),
      };
      return putEvent(server, roomId, { type: "m.room.member", sender: who, state_key: userId, content });
    });
  const invite = inviteEndpoint(server.invites, { authenticate: authenticateUser(server) });
  addRoutes(app, {
    "GET /_matrix/client/versions": () => json(200, { versions: ["v1.11"] }),
    [`GET ${v3}/account/whoami`]: own(({ who }) => json(200, { user_id: who })),
    [`POST ${v3}/createRoom`]: own(createRoom(server)),
    [`ALL ${v3}/rooms/:roomId/invite`]: invite,
    [`POST ${v3}/rooms/:roomId/join`]: own(join(server)),
    [`POST ${v3}/join/:roomId`]: own(join(server)),
    [`POST ${v3}/rooms/:roomId/leave`]: member("leave"),
    [`POST ${v3}/rooms/:roomId/kick`]: member("leave"),
    [`POST ${v3}/rooms/:roomId/ban`]: member("ban"),
    [`PUT ${v3}/rooms/:roomId/state/:type`]: own(setState(server)),
    // The empty key may be written with a slash before it.
    [`PUT ${v3}/rooms/:roomId/state/:type/:key{.*}`]: own(setState(server)),
    [`PUT ${v3}/rooms/:roomId/send/:type/:txnId`]: own(({ who, body, param }) =>
      putEvent(server, param("roomId"), { type: param("type"), sender: who, content: body }),
    ),
    [`GET ${v3}/rooms/:roomId/state`]: own(({ who, param }) =>
      server.store.membership(param("roomId"), who) === "join"
        ? json(
            200,
            server.store
              .events(server.store.current(param("roomId")))
              .map(({ eventId: event_id, pdu }) => ({ ...pdu, event_id })),
          )
        : notFound("You are not in the room."),
    ),
    [`GET ${v3}/sync`]: own(sync(server)),
  });
};
