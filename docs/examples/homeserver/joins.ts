import { checkPdu, roomVersion, roomVersionIds } from "matrix-third-party-invites/judge";
import { domainOf, hashAndSignPdu, isJsonObject } from "matrix-third-party-invites/matrix";
import { matrixResponse } from "matrix-third-party-invites/http";
import { nodeCrypto } from "matrix-third-party-invites/node";
import type { JsonObject } from "matrix-third-party-invites/ports";
import { randomBytes } from "node:crypto";
import { build } from "../event-builder/build.js";
import { whyNotAllowed } from "./auth-rules.js";
import { badRequest, forbidden, json, notInRoom } from "./answers.js";
import type { Homeserver } from "./homeserver.js";
import { at, idsAt, listAt, objectsAt, textAt } from "./json.js";
import { addOutliers, judge } from "./receive.js";
import type { StateMap, StoredEvent } from "./room-store.js";

const memberEvent = (roomId: string, userId: string): JsonObject => ({
  type: "m.room.member",
  room_id: roomId,
  sender: userId,
  state_key: userId,
  content: { membership: "join" },
});

/** All events that these rest on. */
export const authChain = (server: Homeserver, events: readonly StoredEvent[]): readonly StoredEvent[] => {
  const found = new Map<string, StoredEvent>();
  const ahead = events.flatMap(({ pdu }) => idsAt(pdu, "auth_events"));
  for (let id = ahead.pop(); id !== undefined; id = ahead.pop()) {
    const event = found.has(id) ? undefined : server.store.find(id);
    if (event === undefined) continue;
    found.set(id, event);
    ahead.push(...idsAt(event.pdu, "auth_events"));
  }
  return [...found.values()];
};

/** A first join is checked by the library: a key that has signed the invite must still be valid. */
const checkFirstJoin = (server: Homeserver, roomId: string, userId: string) =>
  server.invites.checkFirstJoin({
    roomId,
    userId,
    serverInRoom: server.store.serversIn(roomId).has(domainOf(userId)),
  });

/** `GET /make_join/{roomId}/{userId}`: the join that the other server is to complete. */
export const makeJoin = async (
  server: Homeserver,
  origin: string,
  { roomId, userId, versions }: { roomId: string; userId: string; versions: readonly string[] },
): Promise<Response> => {
  const room = await server.store.room(roomId);
  if (room === undefined) return notInRoom();
  if (domainOf(userId) !== origin) return forbidden("The user is another server's.");
  if (!(versions.length === 0 ? ["1"] : versions).includes(room.version))
    return json(400, {
      errcode: "M_INCOMPATIBLE_ROOM_VERSION",
      error: "The joining server does not know the room's version.",
      room_version: room.version,
    });
  const checked = await checkFirstJoin(server, roomId, userId);
  if (checked._tag === "Left") return matrixResponse(checked);
  const [event] = build(room, [memberEvent(roomId, userId)], server.host) ?? [];
  if (event === undefined) return badRequest("The join cannot be made.");
  const why = whyNotAllowed(event.pdu, server.store.stateNow(roomId), new Set([origin]));
  if (why !== undefined) return forbidden(why);
  const { signatures: _, hashes: _hashes, event_id: _id, ...template } = event.pdu;
  return json(200, { room_version: room.version, event: template });
};

/** `PUT /send_join/{roomId}/{eventId}`: the answer is the state before the join. */
export const sendJoin = async (
  server: Homeserver,
  origin: string,
  { roomId, eventId, event }: { roomId: string; eventId: string; event: unknown },
): Promise<Response> => {
  const { store } = server;
  const version = store.version(roomId);
  if (version === undefined || !store.isResident(roomId)) return notInRoom();
  if (!isJsonObject(event)) return badRequest("There is no event.");
  const [userId, membership] = [textAt(event, "state_key"), textAt(event, "content", "membership")];
  const isJoin = event["type"] === "m.room.member" && membership === "join" && event["sender"] === userId;
  if (!isJoin || event["room_id"] !== roomId) return badRequest("The event is no join of this room.");
  if (domainOf(userId) !== origin) return forbidden("The user is another server's.");
  await server.keys.needFor([event], version);
  const good = checkPdu(nodeCrypto, event, version, server.keys.known);
  if (good._tag === "Left") return forbidden(`The event is not good: ${good.left._tag}.`);
  if (good.right.eventId !== eventId || !good.right.hashMatches)
    return badRequest("The event is another one.");
  if (store.find(eventId) === undefined) {
    const checked = await checkFirstJoin(server, roomId, userId);
    if (checked._tag === "Left") return matrixResponse(checked);
    const why = server.database.transaction(() => {
      const before = store.stateBefore(roomId, good.right.pdu);
      const judged = judge(server, roomId, good.right, before);
      if (judged.standing !== "accepted") return judged.why ?? "The join is not allowed.";
      store.add(roomId, good.right, judged.standing, before);
      const others = [...store.serversIn(roomId)].filter((one) => one !== server.name && one !== origin);
      server.outgoing.put(others, good.right);
      return undefined;
    });
    if (why !== undefined) return forbidden(why);
    server.outgoing.wake();
  }
  const state = store.events(store.stateBefore(roomId, good.right.pdu));
  return json(200, {
    origin: server.name,
    auth_chain: authChain(server, state).map(({ pdu }) => pdu),
    state: state.map(({ pdu }) => pdu),
    event: good.right.pdu,
    members_omitted: false,
  });
};

/** Joins a room through a server that is in it: `make_join`, then `send_join`. */
export const joinThrough = async (
  server: Homeserver,
  via: string,
  roomId: string,
  userId: string,
): Promise<Response> => {
  const { store, name, key } = server;
  const room = encodeURIComponent(roomId);
  const versions = roomVersionIds.map((id) => `ver=${id}`).join("&");
  const ask = `/_matrix/federation/v1/make_join/${room}/${encodeURIComponent(userId)}?${versions}`;
  const made = await server.ask(via, "GET", ask);
  if (made.status !== 200) return json(made.status, made.body);
  const version = roomVersion(textAt(made.body, "room_version") || "1");
  const template = at(made.body, "event");
  if (version === undefined || !isJsonObject(template)) return forbidden("The template is not understood.");
  const own = memberEvent(roomId, userId);
  const content = { ...(at(template, "content") as JsonObject), membership: "join" };
  const event = {
    ...own,
    content,
    ...(version.eventId === "field" ? { event_id: `$${randomBytes(12).toString("hex")}:${name}` } : {}),
    auth_events: listAt(template, "auth_events"),
    prev_events: listAt(template, "prev_events"),
    depth: at(template, "depth"),
    origin_server_ts: Date.now(),
  };
  const join = hashAndSignPdu(nodeCrypto, event, version, { serverName: name, key });
  if (join._tag === "Left") return forbidden(`The join cannot be signed: ${join.left._tag}.`);
  const { eventId, pdu } = join.right;
  const send = `/_matrix/federation/v2/send_join/${room}/${encodeURIComponent(eventId)}`;
  const sent = await server.ask(via, "PUT", send, pdu);
  if (sent.status !== 200) return json(sent.status, sent.body);

  // In a restricted room the server that is in it has added its signature.
  const answered = at(sent.body, "event");
  if (isJsonObject(answered)) await server.keys.needFor([answered], version);
  const signed = isJsonObject(answered)
    ? checkPdu(nodeCrypto, answered, version, server.keys.known)
    : undefined;
  const joined = signed?._tag === "Right" && signed.right.eventId === eventId ? signed.right : join.right;

  if (store.version(roomId) === undefined) store.begin(roomId, version.id);
  const shown = objectsAt(sent.body, "state");
  const isShown = new Set(shown.map((one) => server.eventIdOf(roomId, one)));
  const good = await addOutliers(server, roomId, version, [...objectsAt(sent.body, "auth_chain"), ...shown]);
  const before: StateMap = new Map(
    good
      .filter((one) => isShown.has(one.eventId))
      .map(({ eventId: id, pdu: one }) => [JSON.stringify([one["type"], one["state_key"]]), id]),
  );
  const why = whyNotAllowed(joined.pdu, store.view(roomId, before), new Set([name]));
  if (why !== undefined) return forbidden(`The room's state does not allow the join: ${why}`);
  server.database.transaction(() => {
    if (!store.isResident(roomId)) store.begin(roomId, version.id);
    store.add(roomId, joined, "accepted", before);
    server.database.rows("DELETE FROM invite WHERE room_id = ? AND user_id = ?", roomId, userId);
  });
  return json(200, { room_id: roomId });
};
